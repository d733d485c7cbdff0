"""The toolbar in French, in a frame 320 pixels wide, and without a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FloatRect, Page, Route, expect

from e2e.toolbar import Interface, Learner, Toolbar

Picture = Callable[[Page, str], None]
BOTH = pytest.mark.parametrize("interface", ["lab", "notebook"])
LANGUAGE = "fr"
NARROW = {"width": 320, "height": 560}
CORNER = {"x": 40, "y": 24}
"""Where the frame begins in the course page."""


@pytest.mark.drawn
@BOTH
def test_in_french_everything_is_in_french(
    learner: Learner, interface: Interface, picture: Picture
) -> None:
    name = f"carnet-{interface}.md"
    learner.edit_in_gitlab(name, "une ligne\n")
    learner.run("git pull -q")
    bar = learner.open(interface, name)
    bar.says("Enregistré dans GitLab")
    bar.type("Ici : ")
    bar.says("Modifications ici seulement")
    learner.edit_in_gitlab(name, "une ligne, sur le web\n")
    bar.press("status")
    bar.tells(f"{name} : modifié depuis le dernier enregistrement".replace(" :", "\u00a0:"))
    picture(bar.page, f"toolbar-{interface}-fr-status")
    bar.close()
    bar.press("save")
    expect(bar.dialog.get_by_role("textbox")).to_have_value(re.compile(r"[Mm]odifi"))
    bar.dialog.get_by_role("textbox").press("Enter")
    bar.ended()
    bar.tells("Votre travail est enregistré dans GitLab.")
    bar.tells("Les deux versions sont gardées")
    picture(bar.page, f"toolbar-{interface}-fr-kept-beside")
    bar.close()
    assert learner.in_gitlab(f"carnet-{interface} (à vous).md") == "Ici : une ligne\n"


def _in_a_frame(learner: Learner, interface: Interface, name: str) -> Toolbar:
    """Open a file in a narrow frame of a page of another origin, as a course page's is.

    Of the same site: whether a site lets itself be framed, with the cookies that it needs in
    frames of other sites, is a setting of its own, tested elsewhere; here it does.
    """
    page = learner.context.new_page()
    address = learner.address(interface, f"{learner.demo.course}/{name}")

    def framing(route: Route) -> None:
        asked = route.request.url
        known = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies(asked))
        with learner.demo.client(Cookie=known) as client:  # it finds *.localhost
            answer = client.get(asked)
        kind = answer.headers["content-type"]
        route.fulfill(status=answer.status_code, content_type=kind, body=answer.content)

    page.route(re.compile(rf"{re.escape(learner.base)}/(lab|edit|notebooks)\b.*"), framing)
    course_origin = learner.demo.server_origin("course-page")
    course_page = f"{course_origin}/narrow"
    style = "position:absolute;border:0;left:{x}px;top:{y}px".format(**CORNER)
    size = 'width="{width}" height="{height}"'.format(**NARROW)
    body = f'<!doctype html><iframe id="inline" {size} style="{style}" src="{address}"></iframe>'
    page.route(course_page, lambda route: route.fulfill(content_type="text/html", body=body))
    page.goto(course_page)
    bar = Toolbar(page, learner.words, interface, page.frame_locator("#inline"))
    (inside,) = page.main_frame.child_frames
    own = learner.demo.server_origin(learner.user)
    assert inside.evaluate("[window.innerWidth, window.origin]") == [320, own]
    assert page.evaluate("window.origin") == course_origin
    return bar


@pytest.mark.drawn
@BOTH
def test_in_a_frame_of_320_pixels_all_of_it_can_be_seen_and_used(
    learner: Learner, interface: Interface, picture: Picture
) -> None:
    name = f"étroit-{interface}.md"
    learner.write(name, "un texte\n")
    bar = _in_a_frame(learner, interface, name)
    bar.says("Pas encore dans GitLab")
    for command in ("status", "save", "pull", "view"):
        _inside(bar.button(command).bounding_box())
    picture(bar.page, f"toolbar-{interface}-320")
    bar.press("save")
    expect(bar.dialog.get_by_role("textbox")).not_to_have_value("")
    for button in bar.dialog.get_by_role("button").all():
        _inside(button.bounding_box())
    picture(bar.page, f"toolbar-{interface}-320-save")
    bar.dialog.get_by_role("textbox").press("Enter")
    bar.ended()
    bar.tells("Votre travail est enregistré dans GitLab.")
    picture(bar.page, f"toolbar-{interface}-320-saved")
    bar.close()
    bar.says("Enregistré dans GitLab")
    with bar.page.expect_popup() as opened:  # a frame would not show GitLab
        bar.press("view")
    opened.value.wait_for_url(re.compile(re.escape(learner.demo.gitlab_url)))


def _inside(box: FloatRect | None) -> None:
    assert box
    assert box["x"] >= CORNER["x"]
    assert box["x"] + box["width"] <= CORNER["x"] + NARROW["width"]
    assert box["y"] + box["height"] <= CORNER["y"] + NARROW["height"]


@pytest.mark.drawn
@BOTH
def test_a_save_needs_no_mouse(learner: Learner, interface: Interface) -> None:
    name = f"clavier-{interface}.md"
    learner.write(name, "au clavier\n")
    bar = learner.open(interface, name)
    keys = bar.page.keyboard
    bar.button("status").focus()
    keys.press("ArrowRight")
    expect(bar.button("save")).to_be_focused()
    keys.press("End")
    expect(bar.button("view")).to_be_focused()
    keys.press("Home")
    keys.press("ArrowRight")
    keys.press("Enter")
    expect(bar.dialog.get_by_role("textbox")).to_be_focused()
    keys.press("Control+a")
    keys.type("Au clavier")
    keys.press("Enter")
    bar.ended()
    expect(bar.dialog.get_by_role("button", name="Fermer")).to_be_focused()
    keys.press("Shift+Tab")
    expect(bar.dialog.get_by_role("link")).to_be_focused()
    keys.press("Escape")
    expect(bar.dialog).to_have_count(0)
    assert learner.commits()[0]["title"] == "Au clavier"


def test_the_commands_are_in_the_palette_and_dialogs_have_names(learner: Learner) -> None:
    bar = learner.open("lab", "README.md")
    keys = bar.page.keyboard
    bar.page.locator(".jp-FileEditor .cm-content").click()
    keys.press("Control+Shift+c")
    keys.type("GitLab")
    for command in bar.words.values():
        entry = bar.page.locator(".lm-CommandPalette-itemLabel").get_by_text(command, exact=True)
        expect(entry).to_be_visible()
    keys.press("Escape")
    bar.press("status")
    expect(bar.page.get_by_role("dialog", name="État")).to_be_visible()
    expect(bar.bar).to_have_attribute("role", "toolbar")
    expect(bar.bar).to_have_attribute("aria-label", "GitLab")
