"""Checking answers: launch, check, the page, the teacher's page, the grade back in the platform."""

from __future__ import annotations

import csv
import io
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from kit import local_runner
from kit.gitlab_beside import GitLabBeside
from kit.grade_service import GradeService
from kit.platform11 import Visitor
from kit.platform13 import Visitor13, platform
from kit.site import Site, until
from lms.outcomes import GradeBook

EXPECTED = "# Pi\n\nPi is 3.1416, which everybody knows.\n\nIt is not a rational number.\n"
GIVEN = "# Pi\n\nWrite here what you know.\n"
DECLARED = """
version: 1
timezone: Europe/Paris
exercises:
  - id: pi
    title: {fr: Le nombre pi, en: The number pi}
    file: pi.md
    show: full
    weight: 2
  - id: hidden
    title: {fr: Sans réponse, en: Without an answer}
    file: pi.md
    show: verdict
    attempts: 2
  - id: late
    title: {fr: Trop tard, en: Too late}
    file: pi.md
    closes: 2020-01-01
  - id: broken
    title: {fr: Cassé, en: Broken}
    file: pi.md
    expected: nowhere.md
  - id: table
    title: {fr: Un tableau, en: A table}
    file: table.csv
    weight: 0
    values: [{file: table.csv, tolerance: {absolute: 0.05}}]
  - id: code
    title: {fr: Du code, en: Code}
    file: code.py
    weight: 0
    tests: tests.py
"""
TESTS = """\
# %% name: the mean | say.fr: Divisez par le nombre. | say.en: Divide by the number of values.
assert mean == 3
# %% name: secretname | hidden: true
assert mean < 1000, "secretword"
"""
TABLE = "minute,temperature\n0,85.0\n"


@pytest.fixture(scope="module")
def course(gitlab: GitLabBeside) -> GitLabBeside:
    """The course with exercises, whose expected answers learners cannot read."""
    put(gitlab, "demo/template", "atelier.yml", DECLARED)
    put(gitlab, "demo/template", "pi.md", GIVEN)
    api = gitlab.api
    group = api.groups.get("demo")
    api.projects.create(
        {
            "name": "expected",
            "namespace_id": group.id,
            "initialize_with_readme": True,
            "visibility": "private",
        }
    )
    put(gitlab, "demo/expected", "pi.md", EXPECTED)
    put(gitlab, "demo/template", "table.csv", "minute,temperature\n")
    put(gitlab, "demo/expected", "table.csv", TABLE)
    put(gitlab, "demo/template", "code.py", "mean = None\n")
    put(gitlab, "demo/template", "data.txt", "1 2 6\n")
    put(gitlab, "demo/expected", "tests.py", TESTS)
    known = {"secret": gitlab.site.consumer_secret, "platform": "campus"}
    gitlab.site.write_consumers(
        [{"key": "campus", **known}, {"key": "trusted", **known, "trust_roles": True}]
    )
    return gitlab


def put(gitlab: GitLabBeside, project: str, path: str, content: str) -> None:
    """Commit a file as its owner would."""
    there = gitlab.api.projects.get(project)
    known = {item["path"] for item in there.repository_tree(get_all=True)}
    act = "update" if path in known else "create"
    there.commits.create(
        {
            "branch": "main",
            "commit_message": f"Change {path}",
            "actions": [{"action": act, "file_path": path, "content": content}],
        }
    )


@pytest.fixture
def site(course: GitLabBeside) -> Site:
    return course.site


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as one:
        one.launch(target="gitlab")
        yield one


def launch(visitor: Visitor, exercise: str = "pi", **values: Any) -> httpx.Response:
    return visitor.launch(target="check", exercise=exercise, locale="en", **values)


def check(visitor: Visitor, page: httpx.Response, **fields: str) -> httpx.Response:
    """Press the button of an exercise's page, or with ``fields`` another of its buttons."""
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    action = re.search(r'<form method="post" action="([^"?]+)', page.text)
    assert csrf, page.text
    assert action
    answer = visitor.browser.post(visitor.hub_url + action[1], data={"csrf": csrf[1], **fields})
    return visitor.follow(answer)


def score(page: httpx.Response) -> str:
    found = re.search(r'<strong id="score">([^<]+)</strong>', page.text)
    assert found, page.text
    return re.sub(r"\s*%", " %", found[1])


def test_an_answer_is_checked_mended_and_checked_again(
    course: GitLabBeside, visitor: Visitor
) -> None:
    page = launch(visitor)
    assert page.status_code == 200
    assert "The number pi" in page.text
    assert "only open" in page.text, "it says that unsaved work is not in it"
    first = check(visitor, page)
    assert score(first) == "0 %"
    put(course, f"{visitor.username}/demo", "pi.md", EXPECTED.replace("3.1416", "3.15"))
    second = check(visitor, first)
    assert 0 < int(score(second).split()[0]) < 100
    assert "<del>" in second.text
    assert "<ins>" in second.text
    head = course.api.projects.get(f"{visitor.username}/demo").commits.list(get_all=False)[0].id
    assert f"/-/blob/{head}/pi.md" in second.text
    unified = visitor.get(f"{httpx.URL(str(second.url)).path}?view=unified").text
    assert 'class="diff unified"' in unified
    put(course, f"{visitor.username}/demo", "pi.md", EXPECTED)
    assert score(check(visitor, second)) == "100 %"
    listed = visitor.get("/services/desk/courses/demo/exercises").text
    assert re.search(r"100\s?%", listed)
    assert re.search(r'<td id="total">40\s?%</td>', listed), "2 of 2 + 1 + 1 + 1"


def test_a_file_that_was_deleted_is_made_again_and_its_values_decide(
    course: GitLabBeside, visitor: Visitor
) -> None:
    page = launch(visitor, "table")
    mine = course.api.projects.get(f"{visitor.username}/demo")
    gone = {"action": "delete", "file_path": "table.csv"}
    mine.commits.create({"branch": "main", "commit_message": "Delete", "actions": [gone]})
    missing = check(visitor, page)
    assert "this is not an attempt" in missing.text
    assert "score" not in re.findall(r'id="(\w+)"', missing.text)
    made = check(visitor, missing, action="make")
    assert "in your GitLab space again" in made.text
    commit = mine.commits.list(get_all=False)[0]
    assert commit.title == "table.csv: the course's file"
    assert score(check(visitor, made)) == "0 %"
    put(course, f"{visitor.username}/demo", "table.csv", "temperature;minute\n85,02;0\n")
    right = check(visitor, made)
    assert score(right) == "100 %"
    assert "All that was tried passed." in right.text


@pytest.fixture
def runner(site: Site) -> Iterator[subprocess.Popen[bytes]]:
    """The runner's service, whose sandboxes are processes of this machine."""
    with local_runner.running(site.runner_socket, site.source) as process:
        yield process


def test_code_is_run_beside_the_tests_which_nobody_sees(
    course: GitLabBeside, visitor: Visitor, runner: subprocess.Popen[bytes]
) -> None:
    mine = f"{visitor.username}/demo"
    page = launch(visitor, "code")
    put(course, mine, "helper.py", "def numbers(path):\n    return open(path).read().split()\n")
    answer = "from helper import numbers\nfound = [int(one) for one in numbers('data.txt')]\n"
    put(course, mine, "code.py", answer + "mean = sum(found) / 2\n")
    put(course, mine, "data.txt", "1000 2000\n")
    wrong = check(visitor, page)
    assert score(wrong) == "50 %", "the course's data, not the learner's"
    assert "Divide by the number of values." in wrong.text
    assert "Hidden tests: 1 of 1 passed" in wrong.text
    assert "secret" not in wrong.text
    runner.terminate()
    runner.wait()
    put(course, mine, "code.py", answer + "mean = sum(found) / len(found)\n")
    away = check(visitor, page)
    assert away.status_code == 503
    assert "not available at the moment" in away.text
    put(course, mine, "code.py", answer + "mean = sum(found) / 2\n")
    assert score(check(visitor, page)) == "50 %", "known, and not run again"


def test_who_comes_for_a_check_first_waits_for_their_space(
    course: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    launch(visitor)  # the desk has just read what the course declares
    assert course.running is not None
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as newcomer:
        course.running.process.send_signal(signal.SIGSTOP)
        try:
            page = newcomer.post(newcomer.form(target="check", exercise="pi", locale="en"))
            while page.is_redirect:
                page = newcomer.browser.get(newcomer.way_on(page))
            assert '<meta http-equiv="refresh"' in page.text
            assert "is being prepared" in page.text
        finally:
            course.running.process.send_signal(signal.SIGCONT)
        page = newcomer.follow(page)
        assert "http-equiv" not in page.text
        assert score(check(newcomer, page)) == "0 %"


def test_what_the_exercise_forbids_is_said(course: GitLabBeside, visitor: Visitor) -> None:
    put(course, f"{visitor.username}/demo", "pi.md", EXPECTED.replace("rational", "secret"))
    page = check(visitor, launch(visitor, "hidden"))
    assert "Passed, with some differences." in page.text
    assert "<del>" not in page.text
    assert "rational" not in page.text, "the expected answer stays where it is"
    check(visitor, page)  # the same answer again is no new attempt
    put(course, f"{visitor.username}/demo", "pi.md", "Something else.\n")
    second = check(visitor, page)
    assert "0 of 2 checks left" in second.text
    put(course, f"{visitor.username}/demo", "pi.md", EXPECTED)
    third = check(visitor, page)
    assert third.status_code == 409
    assert "used all the checks" in third.text
    for exercise, said in (("late", "closed"), ("nothing", "no exercise with that name")):
        assert said in launch(visitor, exercise).text
    late = visitor.browser.post(
        f"{visitor.hub_url}/services/desk/courses/demo/exercises/late",
        data={"csrf": re.search(r'name="csrf" value="([^"]+)"', page.text)[1]},  # type: ignore[index]
    )
    assert "no longer taken" in late.text
    broken = check(visitor, launch(visitor, "broken"))
    assert broken.status_code == 409
    assert "missing or cannot be read" in broken.text


def test_what_a_learner_wrote_is_shown_and_never_run(
    course: GitLabBeside, visitor: Visitor
) -> None:
    evil = "# Pi\n\n<script>alert(1)</script> & <img src=x onerror=alert(1)> {{ 7*7 }}\n"
    put(course, f"{visitor.username}/demo", "pi.md", evil)
    page = check(visitor, launch(visitor))
    assert not re.search(r"<script(?! src=\"/services)|<img", page.text)
    assert "{{ 7*7 }}" in re.sub(r"<[^>]+>", "", page.text)
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_a_file_leads_to_its_exercise(visitor: Visitor) -> None:
    launch(visitor)
    found = visitor.get("/services/desk/courses/demo/check?path=pi.md")
    assert found.headers["location"] == "/services/desk/courses/demo/exercises/pi"
    assert visitor.get("/services/desk/courses/demo/check?path=other.md").status_code == 404


@pytest.fixture
def grades(site: Site) -> Iterator[GradeService]:
    service = GradeService(site.consumer_secret)
    service.start()
    yield service
    service.stop()


@pytest.fixture
def teacher(site: Site) -> Iterator[Visitor]:
    """Somebody whom a platform with trusted roles sends as a teacher."""
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as one:
        one.launch(target="gitlab", locale="en", key="trusted", roles="Instructor")
        yield one


def test_the_platform_gets_each_change_of_the_grade_once(
    course: GitLabBeside, visitor: Visitor, grades: GradeService
) -> None:
    page = check(visitor, launch(visitor, outcome_url=grades.address))
    until(lambda: grades.book.score(visitor.user_id, "pi") == 0, "the platform has a first grade")
    put(course, f"{visitor.username}/demo", "pi.md", EXPECTED)
    check(visitor, page)
    until(lambda: grades.book.score(visitor.user_id, "pi") == 1, "the platform has the new grade")
    put(course, f"{visitor.username}/demo", "pi.md", GIVEN)
    assert score(check(visitor, page)) == "0 %"
    check(visitor, page)
    assert grades.book.score(visitor.user_id, "pi") == 1, "the best counts"
    assert [change[2] for change in grades.book.changes] == [0, 1]
    assert grades.asked == 2


def test_a_grade_waits_for_a_platform_that_is_away(
    course: GitLabBeside, site: Site, visitor: Visitor, teacher: Visitor, grades: GradeService
) -> None:
    grades.stop()
    put(course, f"{visitor.username}/demo", "pi.md", EXPECTED)
    check(visitor, launch(visitor, outcome_url=grades.address))
    until(lambda: f"grade user={visitor.username}" in site.log("desk"), "it was tried")
    page = teacher.follow(teacher.get("/services/desk/courses/demo/answers"))
    assert "has not accepted" in page.text
    assert "ConnectError" in page.text
    # The queue outlives the desk, however it ends.
    site.stop("desk", signal.SIGKILL)
    grades.start()
    site.start_desk()
    page = teacher.follow(teacher.get("/services/desk/courses/demo/answers"))
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf
    teacher.browser.post(
        f"{site.hub_url}/services/desk/courses/demo/answers/resend", data={"csrf": csrf[1]}
    )
    until(lambda: grades.book.score(visitor.user_id, "pi") == 1, "it arrives in the end")


def test_a_refusal_of_the_platform_is_told(
    site: Site, visitor: Visitor, grades: GradeService
) -> None:
    grades._secret = "another secret than the launch's"
    check(visitor, launch(visitor, outcome_url=grades.address))
    until(lambda: "OAuth verification error" in site.log("desk"), "the platform's words are there")
    assert not grades.book.changes
    assert site.consumer_secret not in site.log("desk")


def test_the_teacher_sees_everybody_and_grades_again(
    course: GitLabBeside, site: Site, visitor: Visitor, teacher: Visitor
) -> None:
    put(course, f"{visitor.username}/demo", "pi.md", EXPECTED.replace("3.1416", "3.2"))
    before = score(check(visitor, launch(visitor, full_name="=cmd()")))
    assert before != "100 %"
    mine = visitor.get("/services/desk/courses/demo/answers")
    assert visitor.follow(mine).status_code == 403
    one = f"/services/desk/courses/demo/exercises/pi?learner={visitor.username}"
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as learner:
        # Roles of a platform that is not trusted with them change nothing.
        learner.launch(target="gitlab", locale="en", roles="Instructor")
        assert learner.follow(learner.get(one)).status_code == 403
    assert score(teacher.follow(teacher.get(one))) == before
    page = teacher.follow(teacher.get("/services/desk/courses/demo/answers?exercise=pi"))
    assert visitor.username in page.text
    text = teacher.get("/services/desk/courses/demo/answers.csv").content.decode("utf-8-sig")
    rows = {row["username"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows[visitor.username]["name"] == "'=cmd()"
    put(course, "demo/expected", "pi.md", EXPECTED.replace("3.1416", "3.2"))
    try:
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf
        teacher.browser.post(
            f"{site.hub_url}/services/desk/courses/demo/answers/recheck",
            data={"csrf": csrf[1], "exercise": "pi"},
        )
        until(lambda: score(teacher.follow(teacher.get(one))) == "100 %", "graded again", 60)
    finally:
        put(course, "demo/expected", "pi.md", EXPECTED)


def test_a_grade_goes_back_by_lti_13_too(course: GitLabBeside, site: Site) -> None:
    book = GradeBook()
    with platform(site.hub_url, book) as campus13:
        site.write_registrations([campus13.registration("campus-13", "campus")])
        with Visitor13(campus13, secrets.token_hex(8)) as visitor:
            visitor.open(course="demo", target="gitlab")
            page = check(visitor, visitor.open(course="demo", target="check", exercise="pi"))
            until(lambda: book.score(visitor.user_id, "link-1") == 0, "the platform has a grade")
            put(course, f"{visitor.username}/demo", "pi.md", EXPECTED)
            assert score(check(visitor, page)) == "100 %"
            until(lambda: book.score(visitor.user_id, "link-1") == 1, "it has the new one")
            assert len(book.changes) == 2
            # Another link to the same exercise has a line item of its own, with nothing in it yet.
            began = campus13.login_url(
                visitor.user_id, "link-2", {"course": "demo", "target": "check", "exercise": "pi"}
            )
            visitor.follow(visitor.send(visitor.authorize(began)))
            until(lambda: book.score(visitor.user_id, "link-2") == 1, "and so has the other link")
    assert len(book.changes) == 3
