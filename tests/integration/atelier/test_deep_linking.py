"""A teacher chooses, from the LMS, what a link opens; the signed choice goes back there."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest
from kit.platform13 import Visitor13, platform
from kit.published import write_declaration
from kit.site import Site
from lms.platform13 import Platform13


class Form(HTMLParser):
    """The first form of a page: address, values of inputs and options."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.options: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = found["action"]
        elif tag == "input" and found.get("type") == "hidden":
            self.fields[found["name"]] = found["value"]
        elif tag == "option":
            self.options.append(found["value"])


def git(*arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@campus.example", *arguments], check=True
    )


@pytest.fixture(scope="module")
def campus(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform13]:
    """A platform, and a course whose template has files."""
    source = tmp_path_factory.mktemp("source")
    for name in ("journal.md", "notebooks/pi & <python>.ipynb", "été.md", ".hidden", ".git-not/x"):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (source / "atelier.yml").write_text(
        "version: 1\nexercises:\n"
        "  - {id: pi, title: {fr: Calculer π, en: Compute π}, file: journal.md}\n"
    )
    git("init", "-q", "-b", "main", str(source))
    git("-C", str(source), "add", "-A")
    git("-C", str(source), "commit", "-qm", "files")
    git("clone", "-q", "--bare", str(source), str(site.root / "templates" / "demo.git"))
    write_declaration(source, site.root / "templates" / "demo.git", "demo")
    site.write_course("closed", consumers=["somebody else"])
    with platform(site.hub_url) as one:
        site.write_registrations([one.registration("campus-13", "campus")])
        yield one
    (site.root / "courses.d" / "closed.yml").unlink()


@pytest.fixture
def teacher(campus: Platform13, learner: str) -> Iterator[Visitor13]:
    with Visitor13(campus, learner) as one:
        yield one


def choose(teacher: Visitor13, form: Form, **values: str) -> httpx.Response:
    """Send a choice back to the site."""
    return teacher.browser.post(teacher.hub_url + form.action, data={**form.fields, **values})


def test_a_chosen_file_becomes_a_link_that_opens_it(campus: Platform13, teacher: Visitor13) -> None:
    page = teacher.choose()
    assert page.status_code == 200
    form = Form(page.text)
    assert "Exercice\u00a0: Calculer π" in page.text
    assert form.options == [
        "demo/",
        "demo#pi",
        "demo/atelier.yml",
        "demo/journal.md",
        "demo/notebooks/pi & <python>.ipynb",
        "demo/été.md",
    ]
    place = "demo/notebooks/pi & <python>.ipynb"
    back = Form(choose(teacher, form, place=place, target="notebook", title="Buffon").text)
    assert back.action == campus.return_url
    (item,) = campus.chosen(back.fields["JWT"])
    assert item["type"] == "ltiResourceLink"
    assert item["title"] == "Buffon"
    assert item["url"] == campus.launch_url
    opened = teacher.open(**item["custom"])
    assert opened.json()["path"].endswith(
        "/demo/lab/tree/demo/notebooks/pi%20%26%20%3Cpython%3E.ipynb"
    )


def test_a_teacher_may_change_their_mind(campus: Platform13, teacher: Visitor13) -> None:
    back = Form(choose(teacher, Form(teacher.choose().text), cancel="1").text)
    assert campus.chosen(back.fields["JWT"]) == []


def test_the_gitlab_space_may_be_chosen(campus: Platform13, teacher: Visitor13) -> None:
    answer = choose(teacher, Form(teacher.choose().text), place="demo/", target="gitlab")
    (item,) = campus.chosen(Form(answer.text).fields["JWT"])
    assert item["custom"] == {"course": "demo", "target": "gitlab"}
    assert item["title"] in ("The course demo", "Le cours demo")


def test_an_exercise_may_be_chosen_and_asks_for_a_column_of_grades(
    campus: Platform13, teacher: Visitor13
) -> None:
    answer = choose(teacher, Form(teacher.choose().text), place="demo#pi", title="Compute π")
    (item,) = campus.chosen(Form(answer.text).fields["JWT"])
    assert item["custom"] == {"course": "demo", "target": "check", "exercise": "pi"}
    assert item["lineItem"] == {"scoreMaximum": 1, "label": "Compute π", "resourceId": "pi"}
    opened = teacher.send(teacher.authorize(teacher.click(**item["custom"])))
    assert opened.status_code == 302
    assert "target=check" in opened.headers["location"]


def test_a_learner_chooses_nothing(teacher: Visitor13) -> None:
    page = teacher.choose(role="student")
    assert page.status_code == 403
    assert "<select" not in page.text


@pytest.mark.parametrize(
    "values",
    [
        {"place": "closed/"},
        {"place": "nothing/"},
        {"place": ""},
        {"place": "demo/../../etc/passwd"},
        {"place": "demo/", "target": "elsewhere"},
        {"place": "demo#a b"},
        {"place": "closed#pi"},
        {"place": "demo/", "request": "x"},
        {"place": "demo/", "request": ""},
    ],
)
def test_what_may_not_be_chosen_is_not_signed(teacher: Visitor13, values: dict[str, str]) -> None:
    answer = choose(teacher, Form(teacher.choose().text), **values)
    assert answer.status_code == 400
    assert "JWT" not in answer.text


def test_a_choice_made_in_another_browser_is_not_signed(
    campus: Platform13, teacher: Visitor13
) -> None:
    form = Form(teacher.choose().text)
    with Visitor13(campus, "victim") as victim:
        victim.authorize(victim.click())
        assert choose(victim, form, place="demo/").status_code == 403


def test_choosing_signs_nobody_in(teacher: Visitor13) -> None:
    teacher.choose()
    assert not any("login" in name for name in teacher.browser.cookies)


def test_a_course_that_has_published_nothing_yet_can_still_be_chosen(
    site: Site, teacher: Visitor13
) -> None:
    """As on a server whose playbook has not run since the version that writes the list."""
    written = site.root / "templates" / "demo.json"
    aside = written.with_name("aside")
    written.rename(aside)
    try:
        assert Form(teacher.choose().text).options == ["demo/"]
    finally:
        aside.rename(written)
    assert "demo/journal.md" in Form(teacher.choose().text).options
