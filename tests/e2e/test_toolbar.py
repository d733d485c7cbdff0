"""Status, save to GitLab, pull, view in GitLab: in JupyterLab and in Notebook 7, in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from kit.demo import until
from playwright.sync_api import Page, Route, expect

from e2e.toolbar import ENGLISH, GIT_MS, Interface, Learner, gitlab_down

Picture = Callable[[Page, str], None]
BOTH = pytest.mark.parametrize("interface", ["lab", "notebook"])
LANGUAGE = "en"


@pytest.mark.drawn
@BOTH
def test_a_notebook_is_saved_with_a_message_and_a_link(
    learner: Learner, interface: Interface, picture: Picture
) -> None:
    name = f"notebooks/mine-{interface}.ipynb"
    learner.run(f"cp notebooks/pi_python.ipynb {name} && git add -A && git commit -qm new")
    learner.run("git push -q")
    bar = learner.open(interface, name)
    bar.says("Saved in GitLab")
    bar.type("6 * 7")
    bar.run_cell()
    expect(bar.page.locator(".jp-OutputArea-output").first).to_have_text("42", timeout=GIT_MS)
    bar.says("Changes here only")
    bar.press("save")
    expect(bar.dialog).to_contain_text(f"{name}: changed since the last save")
    line = bar.dialog.get_by_role("textbox")
    expect(line).to_have_value(re.compile(re.escape(name.rpartition("/")[2])))
    line.fill(f"Computed in {interface}")
    picture(bar.page, f"toolbar-{interface}-save")
    line.press("Enter")
    bar.ended()
    bar.tells("Your work is saved in GitLab.")
    picture(bar.page, f"toolbar-{interface}-saved")
    link = bar.dialog.get_by_role("link", name="See this save in GitLab")
    newest = learner.commits()[0]
    assert (newest["title"], newest["author_name"]) == (f"Computed in {interface}", "Tove Toolbar")
    expect(link).to_have_attribute(
        "href", re.compile(rf"{re.escape(learner.demo.gitlab_url)}/.+/-/commit/{newest['id']}")
    )
    bar.close()
    bar.says("Saved in GitLab")
    picture(bar.page, f"toolbar-{interface}")
    assert "6 * 7" in learner.in_gitlab(name)


@pytest.mark.drawn
@BOTH
def test_cells_that_are_run_before_their_kernel_is_there_run_when_it_is(
    learner: Learner, interface: Interface, picture: Picture
) -> None:
    name = f"notebooks/early-{interface}.ipynb"
    learner.run(f"cp notebooks/pi_python.ipynb {name}")
    page = learner.context.new_page()
    held: list[Route] = []  # the requests that start a kernel
    page.route(
        re.compile("/api/sessions"),
        lambda route: held.append(route) if route.request.method == "POST" else route.fallback(),
    )
    bar = learner.open(interface, name, page)
    bar.type("6 * 7")
    bar.run_cell()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    waits = cells.first.get_by_role("status")
    expect(waits).to_have_text("Python is starting… This cell runs as soon as it is ready.")
    expect(cells.first.locator(".jp-InputPrompt")).to_have_text("[*]:")
    picture(page, f"toolbar-{interface}-starting")
    for route in held:
        route.continue_()
    expect(cells.first.locator(".jp-OutputArea-output")).to_have_text("42", timeout=GIT_MS)
    expect(waits).to_have_count(0)


@pytest.mark.drawn
@BOTH
def test_what_is_newer_in_gitlab_is_pulled_into_the_open_document(
    learner: Learner, interface: Interface, picture: Picture
) -> None:
    name = f"pull-{interface}.md"
    learner.edit_in_gitlab(name, "first\n\nmiddle\n\nlast\n")
    learner.run("git pull -q")
    bar = learner.open(interface, name)
    bar.says("Saved in GitLab")
    learner.edit_in_gitlab(name, "first\n\nmiddle\n\nlast, from the web\n")
    bar.press("status")
    bar.tells("GitLab has one newer save. Pull brings it here.")
    picture(bar.page, f"toolbar-{interface}-status-newer")
    bar.close()
    bar.says("GitLab has newer")
    bar.type("Typed here, not saved: ")
    bar.says("Changes here, and GitLab has newer")
    bar.pull()
    bar.tells("One file has been brought up to date from GitLab:")
    bar.close()
    expect(bar.text).to_contain_text("Typed here, not saved: first")
    expect(bar.text).to_contain_text("last, from the web")
    bar.says("Changes here only")
    assert learner.read(name) == "Typed here, not saved: first\n\nmiddle\n\nlast, from the web"
    bar.pull()
    bar.tells("Nothing new in GitLab: you have the latest of everything.")
    bar.close()


@pytest.mark.drawn
@BOTH
def test_a_file_is_seen_in_gitlab_and_one_never_saved_is_saved_first(
    learner: Learner, interface: Interface
) -> None:
    name = f"data/vue à {interface}.md"
    learner.write(name, "to be seen\n")
    bar = learner.open(interface, name)
    bar.says("Not in GitLab yet")
    bar.press("view")
    bar.tells("This file has never been saved to GitLab")
    bar.dialog.get_by_role("button", name="Save to GitLab").click()
    bar.dialog.get_by_role("textbox").press("Enter")
    bar.ended()
    bar.close()
    with bar.page.expect_popup() as opened:
        bar.press("view")
    opened.value.wait_for_url(re.compile(re.escape(learner.demo.gitlab_url)))
    assert learner.in_gitlab(name) == "to be seen\n"


def test_the_status_says_in_words_what_changed(learner: Learner, picture: Picture) -> None:
    learner.write("old name.txt", "a file that gets another name\n" * 20)
    learner.write("gone.txt", "to be deleted\n")
    learner.run("git add -A && git commit -qm files && git push -q")
    bar = learner.open("lab", "journal.md")
    learner.run("git mv 'old name.txt' 'new name.txt' && rm gone.txt && echo x > 'never seen.txt'")
    bar.type("# Today\n\n")
    bar.page.keyboard.press("Control+s")
    bar.press("status")
    for said in (
        "4 files have changed since the last save:",
        "journal.md: changed since the last save",
        "new name.txt: renamed, was old name.txt",
        "gone.txt: deleted here",
        "never seen.txt: new, not in GitLab yet",
    ):
        bar.tells(said)
    picture(bar.page, "toolbar-status")
    bar.dialog.get_by_role("button", name="Save to GitLab").click()
    expect(bar.dialog.get_by_role("checkbox")).to_have_count(4)


def test_the_state_is_shown_while_gitlab_is_still_being_asked(learner: Learner) -> None:
    page = learner.context.new_page()
    page.route(re.compile(r"/atelier-toolbar/status\?.*ask=1"), lambda _: None)  # no answer
    bar = learner.open("lab", "README.md", page)
    bar.says("Saved in GitLab")


def test_with_nothing_to_save_it_says_so(learner: Learner) -> None:
    bar = learner.open("lab", "README.md")
    before = learner.commits()[0]["id"]
    bar.press("save")
    bar.ended()
    bar.tells("Nothing has changed since the last save: GitLab has all of it.")
    assert learner.commits()[0]["id"] == before


def test_a_file_that_is_too_large_is_named_and_can_be_left_out(
    learner: Learner, picture: Picture
) -> None:
    learner.run("head -c 12000000 /dev/zero > 'big data.bin'")
    learner.write("small.md", "small\n")
    bar = learner.open("lab", "small.md")
    bar.save("With the data")
    bar.tells("“big data.bin” weighs 12 MB; at most 10 MB can be saved.")
    picture(bar.page, "toolbar-too-large")
    bar.close()
    assert "With the data" not in {commit["title"] for commit in learner.commits()}
    bar.press("save")
    bar.dialog.get_by_role("checkbox", name=re.compile("big data.bin")).uncheck()
    bar.dialog.get_by_role("textbox").press("Enter")
    bar.ended()
    bar.tells("Your work is saved in GitLab.")
    names = {item["path"] for item in learner.tree()}
    assert "small.md" in names
    assert "big data.bin" not in names
    learner.run("rm 'big data.bin'")


@pytest.mark.drawn
@BOTH
def test_a_save_that_gitlab_refuses_as_it_moved_on_is_merged_and_sent(
    learner: Learner, interface: Interface, picture: Picture
) -> None:
    mine, other = f"mine-{interface}.md", f"other-{interface}.md"
    learner.edit_in_gitlab(mine, "mine\n")
    learner.run("git pull -q")
    bar = learner.open(interface, mine)
    learner.edit_in_gitlab(other, "from another computer\n")
    bar.type("Typed here. ")
    bar.save()
    bar.tells("GitLab had newer work: it has been joined with yours")
    picture(bar.page, f"toolbar-{interface}-merged")
    bar.close()
    assert learner.in_gitlab(mine) == "Typed here. mine\n"
    bar.type("And again. ")
    bar.save()
    bar.close()
    assert learner.in_gitlab(mine) == "And again. Typed here. mine\n"
    assert learner.read(other) == "from another computer"


@pytest.mark.drawn
@BOTH
def test_two_versions_of_one_line_are_both_kept_and_said(
    learner: Learner, interface: Interface, picture: Picture
) -> None:
    name = f"line-{interface}.md"
    kept = f"line-{interface} (yours).md"
    learner.edit_in_gitlab(name, "one line\n")
    learner.run("git pull -q")
    bar = learner.open(interface, name)
    learner.edit_in_gitlab(name, "one line, from the web\n")
    bar.type("Here: ")
    bar.pull()
    bar.tells(f"“{name}” changed here and in GitLab in the same place. Both versions are kept")
    bar.tells(kept)
    picture(bar.page, f"toolbar-{interface}-kept-beside")
    bar.close()
    expect(bar.text).to_have_text("one line, from the web")
    assert learner.read(kept) == "Here: one line"
    bar.save("Both")
    assert learner.in_gitlab(kept) == "Here: one line\n"
    assert learner.in_gitlab(name) == "one line, from the web\n"


@pytest.mark.drawn
@BOTH
def test_with_gitlab_down_a_save_is_kept_and_the_next_one_sends_it(
    learner: Learner, interface: Interface, picture: Picture
) -> None:
    name = f"down-{interface}.md"
    learner.write(name, "kept\n")
    bar = learner.open(interface, name)
    with gitlab_down(learner.demo):
        bar.save("Saved without GitLab")
        bar.tells("Your work is saved here, but GitLab does not answer.")
        picture(bar.page, f"toolbar-{interface}-offline")
        bar.close()
        bar.press("status")
        bar.tells("One save is kept here and not in GitLab yet.")
        bar.close()
        expect(bar.badge).to_contain_text("GitLab does not answer")
        bar.pull()
        bar.tells("GitLab does not answer at the moment.")
        bar.close()
    bar.press("save")
    bar.ended()
    bar.tells("Your work is saved in GitLab.")
    bar.close()
    bar.says("Saved in GitLab")
    assert "Saved without GitLab" in {commit["title"] for commit in learner.commits()}
    assert learner.in_gitlab(name) == "kept\n"


def test_two_windows_on_one_file_lose_nothing(learner: Learner, picture: Picture) -> None:
    name = "windows.md"
    learner.write(name, "shared\n")
    one = learner.open("lab", name)
    two = learner.open("notebook", name)
    one.page.bring_to_front()
    one.type("From one. ")
    one.save("From one")
    one.close()
    two.page.bring_to_front()
    two.type("From two. ")
    two.press("save")
    two.tells(f"“{name}” was also changed elsewhere, in another window or by a program.")
    two.tells("Both versions are kept")
    picture(two.page, "toolbar-two-windows")
    two.dialog.get_by_role("button", name="Close").click()
    two.dialog.get_by_role("textbox").press("Enter")
    two.ended()
    two.close()
    expect(two.text).to_contain_text("From one. shared")
    assert learner.in_gitlab(name) == "From one. shared\n"
    assert learner.in_gitlab("windows (yours).md") == "From two. shared\n"


@pytest.mark.drawn
@BOTH
def test_a_notebook_that_runs_in_two_windows_stays_one_file(
    learner: Learner, interface: Interface
) -> None:
    name = f"two-runs-{interface}.ipynb"
    cell = '{"cell_type": "code", "id": "a", "metadata": {}, "source": "6 * 7", "outputs": []'
    learner.write(
        name,
        f'{{"cells": [{cell}, "execution_count": null}}], "metadata": {{"kernelspec": '
        '{"name": "python3", "display_name": "Python 3"}}, "nbformat": 4, "nbformat_minor": 5}',
    )
    windows = [learner.open(interface, name) for _ in range(2)]
    for bar in windows:
        bar.page.bring_to_front()
        bar.page.locator(".jp-Notebook .jp-Cell").first.click()
        bar.run_cell()
        prompt = bar.page.locator(".jp-Notebook .jp-InputPrompt").first
        expect(prompt).to_have_text(re.compile(r"\[\d\]:"), timeout=GIT_MS)
        ran = prompt.inner_text()
        bar.page.keyboard.press("Control+s")
        count = f'"execution_count": {ran[1]}'
        until(lambda count=count: count in learner.read(name), "the run is saved", 30)  # type: ignore[misc]
    assert name.replace(".", " (yours).") not in learner.run("ls")
    expect(windows[1].dialog).to_have_count(0)


@pytest.mark.drawn
@BOTH
@pytest.mark.parametrize("name", ["ctrl-s.md", "ctrl-s.ipynb"])
def test_ctrl_s_on_a_file_that_was_changed_elsewhere_keeps_both_versions(
    learner: Learner, interface: Interface, name: str, picture: Picture
) -> None:
    name = f"{interface}-{name}"
    kept = name.replace(".", " (yours).")
    source = "notebooks/pi_python.ipynb" if name.endswith(".ipynb") else "README.md"
    learner.run(f"cp {source} {name}")
    bar = learner.open(interface, name)
    bar.type("Saved. ")
    bar.page.keyboard.press("Control+s")  # nobody else has changed it: nothing is asked
    until(lambda: "Saved. " in learner.read(name), "the file is saved", 30)
    bar.type("Mine. ")
    learner.run(f"sed -i 's/Saved. /Theirs. /' {name}")
    bar.page.keyboard.press("Control+s")
    bar.tells(f"“{name}” was also changed elsewhere, in another window or by a program.")
    bar.tells(kept)
    picture(bar.page, f"toolbar-{interface}-ctrl-s")
    bar.close()
    expect(bar.text).to_contain_text("Theirs. ")
    expect(bar.text).not_to_contain_text("Mine. ")
    assert "Mine. " not in learner.read(name)
    assert "Theirs. " in learner.read(name)
    assert "Mine. " in learner.read(kept)
    bar.type("After. ")
    bar.page.keyboard.press("Control+s")
    until(lambda: "After. " in learner.read(name), "the file is saved", 30)
    expect(bar.dialog).to_have_count(0)


def test_a_file_outside_the_course_folder_has_no_bar_and_commands_say_why(
    learner: Learner,
) -> None:
    learner.run("echo elsewhere > ../elsewhere.md")
    page = learner.context.new_page()
    page.goto(learner.address("lab", "elsewhere.md"))
    expect(page.locator(".jp-FileEditor .cm-content")).to_contain_text("elsewhere")
    page.locator(".jp-FileEditor .cm-content").click()
    page.keyboard.press("Control+Shift+c")
    page.keyboard.type(ENGLISH["save"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("does not lie in the folder that is kept")
    expect(page.locator(".atelier-Bar:visible")).to_have_count(0)
