"""What keeps a save from its end, made for real, is told: in English, or in French, by the seed.

The words of all states, in both languages, are tried in `files/toolbar/test/messages.test.js`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from kit.demo import Demo, until
from playwright.sync_api import Page, expect

from e2e.toolbar import GIT_MS, Interface, Learner, Toolbar

Picture = Callable[[Page, str], None]
INTERFACES: dict[str, Interface] = {"en": "lab", "fr": "notebook"}
SAVED = {
    "en": "Your work is saved in GitLab.",
    "fr": "Votre travail est enregistré dans GitLab.",
}
pytestmark = pytest.mark.drawn
LOST_NOTHING = {"en": "Nothing is lost.", "fr": "Rien n’est perdu."}


@pytest.fixture(params=INTERFACES)
def learner(request: pytest.FixtureRequest, at_work: Callable[[str], Learner]) -> Iterator[Learner]:
    """A learner at work in each language."""
    found = at_work(request.param)
    yield found
    found.tidy()


def opened(learner: Learner, name: str) -> Toolbar:
    """A new file of the course, open."""
    learner.write(name, "mine\n")
    return learner.open(INTERFACES[learner.locale], name)


def stops(bar: Toolbar, *said: str, command: str = "save") -> None:
    """Press a button and read why it stops."""
    bar.press(command)
    if command == "save":
        bar.dialog.get_by_role("textbox").press("Enter")
    bar.ended()
    for words in said:
        bar.tells(words)


def saves(bar: Toolbar, learner: Learner, name: str) -> None:
    """The next save succeeds, and GitLab has the file."""
    bar.close()
    bar.press("save")
    progress = bar.page.locator(".atelier-Progress")
    line = bar.dialog.get_by_role("textbox")
    expect(line.or_(progress)).to_be_visible(timeout=GIT_MS)
    if line.count():  # nothing is asked when all is committed
        line.press("Enter")
    bar.ended()
    bar.tells(SAVED[learner.locale])
    assert "mine" in learner.in_gitlab(name)


@contextmanager
def protected(demo: Demo, learner: Learner) -> Iterator[None]:
    """Nobody may push to the branch."""
    address = f"{demo.gitlab_url}/api/v4/{learner.project}/protected_branches"
    with demo.client(PRIVATE_TOKEN=demo.gitlab_admin_token) as client:

        def protect(level: int) -> None:
            client.delete(f"{address}/main")
            rule = {"name": "main", "push_access_level": level}
            client.post(address, json=rule).raise_for_status()

        protect(0)
        try:
            yield
        finally:
            protect(40)


@contextmanager
def blocked(demo: Demo, learner: Learner) -> Iterator[None]:
    """GitLab takes none of the learner's tokens."""
    (account,) = demo.gitlab("users", username=learner.user)
    address = f"{demo.gitlab_url}/api/v4/users/{account['id']}"
    with demo.client(PRIVATE_TOKEN=demo.gitlab_admin_token) as client:
        client.post(f"{address}/block").raise_for_status()
        try:
            yield
        finally:
            client.post(f"{address}/unblock").raise_for_status()


def test_a_refusal_is_told_with_gitlabs_words(
    demo: Demo, learner: Learner, picture: Picture
) -> None:
    bar = opened(learner, "refused.md")
    with protected(demo, learner):
        stops(
            bar,
            *{
                "en": ("GitLab refused", "Your work is saved here, but GitLab refused it."),
                "fr": ("GitLab a refusé", "Votre travail est enregistré ici, mais GitLab l’a"),
            }[learner.locale],
            LOST_NOTHING[learner.locale],
        )
        bar.dialog.locator("summary").click()
        bar.tells("You are not allowed to push code to protected branches on this project.")
        picture(bar.page, f"toolbar-refused-{learner.locale}")
    saves(bar, learner, "refused.md")


def test_who_is_kept_out_is_told(demo: Demo, learner: Learner, picture: Picture) -> None:
    bar = opened(learner, "denied.md")
    with blocked(demo, learner):
        stops(
            bar,
            *{
                "en": (
                    "GitLab does not let you in",
                    "Your work is saved here, but GitLab gives no access to your space.",
                ),
                "fr": (
                    "GitLab ne vous laisse pas entrer",
                    "Votre travail est enregistré ici, mais GitLab ne donne pas accès",
                ),
            }[learner.locale],
            LOST_NOTHING[learner.locale],
        )
        picture(bar.page, f"toolbar-denied-{learner.locale}")
        bar.close()
        bar.press("status")
        told = {
            "en": "GitLab gives no access to your space at the moment. Your work is kept here.",
            "fr": "GitLab ne donne pas accès à votre espace pour le moment.",
        }
        bar.tells(told[learner.locale])
    saves(bar, learner, "denied.md")


MOVING = """
git clone -q --bare . ~/moving.git
git config url."$HOME/moving.git".pushInsteadOf "$(git remote get-url origin)"
cat > ~/moving.git/hooks/pre-receive <<'END'
#!/bin/sh
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
git update-ref refs/heads/main "$(git commit-tree -p main -m moved 'main^{tree}')"
END
chmod +x ~/moving.git/hooks/pre-receive
"""
STILL = """
git config --unset url."$HOME/moving.git".pushInsteadOf
rm -rf ~/moving.git
"""


def test_a_gitlab_that_changes_at_every_try_is_told(learner: Learner, picture: Picture) -> None:
    bar = opened(learner, "moving.md")
    learner.run(MOVING)
    try:
        stops(
            bar,
            *{
                "en": ("GitLab keeps changing", "something newer arrived in GitLab"),
                "fr": ("GitLab change sans cesse", "quelque chose de plus récent est arrivé"),
            }[learner.locale],
            LOST_NOTHING[learner.locale],
        )
        picture(bar.page, f"toolbar-moving-{learner.locale}")
    finally:
        learner.run(STILL)
    saves(bar, learner, "moving.md")


def test_another_program_at_work_is_waited_for_then_told(
    learner: Learner, picture: Picture
) -> None:
    bar = opened(learner, "busy.md")
    hold = "exec 9>.git/index.lock; echo $$ >~/holder; exec sleep 300"
    learner.run(f"(setsid bash -c '{hold}' >/dev/null 2>&1 &)")
    until(lambda: learner.run("cat ~/holder 2>/dev/null || true"), "the lock is held", 30)
    try:
        stops(
            bar,
            *{
                "en": ("One moment", "Another save or pull is under way"),
                "fr": ("Un instant", "Un autre enregistrement ou une récupération est en cours"),
            }[learner.locale],
        )
        picture(bar.page, f"toolbar-busy-{learner.locale}")
    finally:
        learner.run("kill $(cat ~/holder); rm ~/holder")
    # What it left, as a git that was killed does, keeps nobody from saving.
    learner.run("test -e .git/index.lock")
    saves(bar, learner, "busy.md")
    learner.run("test ! -e .git/index.lock")


def test_a_rebase_begun_in_a_terminal_is_told(learner: Learner, picture: Picture) -> None:
    name = f"rebase-{learner.locale}.md"
    learner.edit_in_gitlab(name, "first\n")
    learner.run("git pull -q")
    learner.edit_in_gitlab(name, "theirs\n")
    learner.write(name, "mine\n")
    learner.run("git commit -qam mine && git fetch -q && ! git rebase -q origin/main")
    bar = learner.open(INTERFACES[learner.locale], name)
    try:
        told = {
            "en": "A “rebase” was begun in a terminal and has not ended.",
            "fr": "Un «\u00a0rebase\u00a0» a été commencé dans un terminal et n’est pas terminé.",
        }
        stops(bar, told[learner.locale], command="pull")
        picture(bar.page, f"toolbar-unfinished-{learner.locale}")
    finally:
        learner.run("git rebase --abort")
    bar.close()
    bar.pull()
    kept = {"en": "(yours)", "fr": "(à vous)"}
    bar.tells(kept[learner.locale])


def test_a_merge_begun_in_a_terminal_is_ended_by_a_save(learner: Learner) -> None:
    name = f"merge-{learner.locale}.md"
    learner.edit_in_gitlab(name, "first\n")
    learner.run("git pull -q")
    learner.edit_in_gitlab(name, "theirs\n")
    learner.write(name, "mine\n")
    learner.run("git commit -qam mine && git fetch -q && ! git merge -q origin/main >/dev/null")
    bar = learner.open(INTERFACES[learner.locale], name)
    bar.pull()
    kept = name.replace(".", {"en": " (yours).", "fr": " (à vous)."}[learner.locale])
    bar.tells(kept)
    bar.close()
    expect(bar.text).to_have_text("theirs")
    assert learner.read(kept) == "mine"
    learner.run("test ! -e .git/MERGE_HEAD")


def test_a_detached_head_is_told(learner: Learner) -> None:
    bar = opened(learner, "detached.md")
    learner.run("git checkout -q --detach")
    try:
        told = {
            "en": "The folder of the course is not on a branch.",
            "fr": "Le dossier du cours n’est sur aucune branche.",
        }
        stops(bar, told[learner.locale])
    finally:
        learner.run("git checkout -q main")
    saves(bar, learner, "detached.md")


@contextmanager
def full_home(learner: Learner) -> Iterator[None]:
    """Nothing is left of the learner's space; the file that fills it is removed after that."""
    room = "$(df -B1 --output=avail ~ | tail -1)"
    learner.run(f"fallocate -l {room} ~/filler; cat /dev/zero > ~/rest 2>/dev/null || true")
    try:
        yield
    finally:
        learner.run("rm -f ~/filler ~/rest")


FULL = {
    "en": ("Your disk space is full", "1.0 GB of 1.0 GB are in use", "“filler” (1.0 GB)"),
    "fr": ("Votre espace disque est plein", "1,0 Go sur 1,0 Go", "« filler » (1,0 Go)"),
}
FULL_ON_THE_HUB = {
    "en": "Your space is full: 1.0 GB of 1.0 GB.",
    "fr": "Votre espace est plein : 1,0 Go sur 1,0 Go.",
}


def test_a_full_home_is_told_and_loses_nothing(
    demo: Demo, learner: Learner, picture: Picture
) -> None:
    name = f"full-{learner.locale}.md"
    bar = opened(learner, name)
    with full_home(learner):
        stops(bar, *FULL[learner.locale])
        picture(bar.page, f"toolbar-disk-full-{learner.locale}")
        bar.close()
        bar.type("more ")
        bar.page.keyboard.press("Control+s")
        bar.tells(FULL[learner.locale][0])
        expect(bar.dialog).not_to_contain_text("Errno")
        assert learner.read(name) == "mine"
        page = learner.context.new_page()
        page.goto(f"{demo.hub_url}/hub/home")
        expect(page.get_by_role("status")).to_contain_text(FULL_ON_THE_HUB[learner.locale])
        picture(page, f"hub-disk-full-{learner.locale}")
        # Jupyter opens what is there.
        page.goto(learner.address(INTERFACES[learner.locale], f"{demo.course}/README.md"))
        expect(page.locator(".cm-content, .jp-RenderedMarkdown").first).to_be_visible()
        page.close()
    saves(bar, learner, name)
    assert "more mine" in learner.in_gitlab(name)
