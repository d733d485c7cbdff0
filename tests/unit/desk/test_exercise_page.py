"""The exercise's page: what was tried, in words, and nothing of hidden tests."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from atelier.config.models import Settings
from atelier.desk.pages.exercises import ExercisePages
from atelier.desk.pages.render import PageRenderer
from atelier.desk.pages.tried import tried
from atelier.exercises.model import ProseShown, Rule, blank, message
from atelier.sandbox.model import RunResult
from kit.school import School
from starlette.responses import Response

DECLARED = b"""
version: 1
exercises:
  - id: mean
    title: {fr: Moyenne, en: Mean}
    file: mean.py
    show: SHOW
    tests: secret_tests.py
    values:
      - {variable: half, equals: 31.3, say: {fr: "La moiti\xc3\xa9.", en: "Half of it."}}
"""
TESTS = """\
# %% name: the mean | points: 1.5 | say.fr: Divisez. | say.en: Divide.
assert mean == 62.6, "secretdetail"
# %% name: positive
assert mean > 0
# %% name: secretname | hidden: true | say.en: secretsay
assert mean == 62.6, "secrethidden"
"""


class Page:
    """The page of one learner's exercise."""

    def __init__(self, folder: Path) -> None:
        self.school = School(folder)
        self.show("hints")
        settings = Settings.model_validate(
            {"site": {"hub_url": "https://hub.x.org", "gitlab_url": "https://gitlab.x.org"}}
        )
        entry = SimpleNamespace(staff=self._staff)
        sign_in = SimpleNamespace(prefix="/services/desk")
        renderer = PageRenderer(settings, cast(Any, sign_in), cast(Any, entry))
        self.pages = ExercisePages(settings, self.school.service, renderer)
        self.once: dict[str, str] = {}

    def show(self, level: str) -> None:
        self.school.projects.files |= {
            "rr1/template": {
                "atelier.yml": DECLARED.replace(b"SHOW", level.encode()),
                "mean.py": b"mean = None\n",
            },
            "rr1/expected": {"mean.py": b"mean = 62.6\n", "secret_tests.py": TESTS.encode()},
        }
        self.school.projects.invalidate_cache()
        self.school.course.title = SimpleNamespace(fr="Cours", en="Course")

    async def _staff(self, username: str, course: str) -> bool:
        del course
        return username == "teacher"

    def _ask(self, handler: Any, lang: str, reader: str, *form: Any, **query: str) -> Response:
        place = {"course": "rr1", "exercise": "mean"}
        request = SimpleNamespace(path_params=place, query_params=query)
        session = SimpleNamespace(username=reader, language=lang, csrf="c", name="", once=self.once)
        answer = asyncio.run(handler(request, session, *form))
        self.once = session.once
        return cast(Response, answer)

    def press(self, **form: str) -> None:
        answer = self._ask(self.pages._check, "en", "ada", form)
        assert answer.status_code == 303

    def save(self, text: bytes) -> None:
        self.school.projects.files["ada/rr1"] = {"mean.py": text}

    def source(self, lang: str = "en", reader: str = "ada", **query: str) -> str:
        return bytes(self._ask(self.pages._show, lang, reader, **query).body).decode()

    def text(self, lang: str = "en", reader: str = "ada", **query: str) -> str:
        words = re.sub(r"(?s)<head.*?</head>|<[^>]*>", " ", self.source(lang, reader, **query))
        return " ".join(unescape(words).replace("\u00a0", " ").replace("\u202f", " ").split())


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page(tmp_path)


def test_each_test_is_told_with_the_teachers_sentence(page: Page) -> None:
    page.save(b"mean = 61\nhalf = 30.5\n")
    page.press()
    told = page.text()
    assert "the mean : not yet (points: 0 of 1.5) Divide." in told
    assert "positive : passed (points: 1 of 1)" in told
    assert "The variable half : not yet (points: 0 of 1) Half of it. Your value: 30.5" in told
    assert "Hidden tests: 0 of 1 passed. Points: 0 of 1." in told
    assert "1 of 4.5 points of the tests were reached." in told
    told = page.text("fr")
    assert "the mean : pas encore (points : 0 sur 1,5) Divisez." in told
    assert "La variable half : pas encore (points : 0 sur 1) La moitié. Votre valeur : 30.5" in told


def test_parts_in_the_learners_own_words_are_told_beside_tests() -> None:
    comparison = blank(Rule("ipynb"))
    part: ProseShown = {
        "name": "Conclusion",
        "kind": "person",
        "points": 2,
        "reached": 0,
        "pending": True,
        "message": message("check_prose_person"),
        "say": {"en": "Say why."},
    }
    views = tried({**comparison, "prose": [part]}, "en", is_notebook=True)
    assert views is not None
    (view,) = views.tests
    assert (view.title, view.state, view.told) == (
        *("Part Conclusion", "pending", "waits for a person"),
    )
    assert view.sentence == "A person reads this part and gives the points. Say why."
    assert tried(comparison, "en", is_notebook=True) is None


@pytest.mark.parametrize("level", ["verdict", "hints", "full"])
@pytest.mark.parametrize("answer", [b"mean = 61\n", b"mean = 62.6\nhalf = 31.3\n", b"1 / 0\n", b""])
def test_nothing_of_hidden_tests_is_in_the_page(page: Page, level: str, answer: bytes) -> None:
    page.show(level)
    page.save(answer)
    page.press()
    for source in (page.source("en"), page.source("fr")):
        assert "secret" not in source
        assert "assert" not in source


def test_the_teachers_page_has_the_detail_and_hidden_tests(page: Page) -> None:
    page.save(b"mean = 61\n")
    page.press()
    told = page.text(reader="teacher", learner="ada")
    assert "secretname : not yet (points: 0 of 1; hidden from learners) secretsay" in told
    assert "For the course team: AssertionError: secrethidden" in told


@pytest.mark.parametrize(
    ("result", "english", "french"),
    [
        (
            RunResult("run_error", 3, "NameError: name 'x' is not defined"),
            "Line 3: Run from top to bottom in a new session, your file stops here with an error."
            " NameError: name 'x' is not defined",
            "Ligne 3 : Exécuté de haut en bas dans une nouvelle session",
        ),
        (
            RunResult("run_order", 2, name="total"),
            "Line 2: `total` is used here before the cell that defines it.",
            "Ligne 2 : « total » est utilisé ici avant la cellule qui le définit.",
        ),
        (RunResult("run_timeout", None), "perhaps a loop never ends", "une boucle ne finit"),
    ],
)
def test_a_run_that_stopped_is_told_in_plain_words(
    page: Page, result: RunResult, english: str, french: str
) -> None:
    page.save(b"mean = 62.6\n")
    page.school.runner.result = result
    page.press()
    assert english in page.text("en")
    assert french in page.text("fr")
    assert "Not tried: your file did not run to its end." in page.text("en")
    assert page.text("en").count("Divide.") == 0, "not the advice for a wrong result"


def test_a_missing_file_is_said_and_can_be_made_with_a_click(page: Page) -> None:
    page.school.projects.files["ada/rr1"] = {"other.py": b"mean = 62.6\n"}
    page.press()
    assert 'id="make"' in (source := page.source())
    assert "this is not an attempt" in unescape(source)
    assert 'id="make"' not in page.source(), "told once"
    page.press(action="make")
    assert "in your GitLab space again" in unescape(page.source())
    assert page.school.projects.files["ada/rr1"]["mean.py"] == b"mean = None\n"
    page.press()
    assert page.school.best("ada", "mean") == (1, 0)
