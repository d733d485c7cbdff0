"""The progress of site.yml as `make demo` shows it."""

from __future__ import annotations

from world.playbook import Progress

OUTPUT = """\
PLAY [Check, install and configure the site] ***********************************
TASK [mooc.atelier.docker : Install the engine] ********************************
ok: [atelier-demo]
TASK [mooc.atelier.nginx : Write the site] *************************************
atelier-demo: ... 10 s: Setting up nginx (1.26.3)
changed: [atelier-demo]
PLAY RECAP *********************************************************************
atelier-demo               : ok=2    changed=1    unreachable=0    failed=0
"""


def test_tasks_and_changes_are_shown_and_the_recap_is_read() -> None:
    progress = Progress()
    shown = [text for line in OUTPUT.splitlines() if (text := progress(line))]
    assert shown == [
        "   Check, install and configure the site",
        "   docker : Install the engine",
        "   nginx : Write the site",
        "     ... 10 s: Setting up nginx (1.26.3)",
        "     changed: [atelier-demo]",
        "   atelier-demo               : ok=2    changed=1    unreachable=0    failed=0",
    ]
    assert progress.changed == 1
    assert str(progress) == "nginx : Write the site"
