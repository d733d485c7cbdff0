"""The server part of the toolbar: git for people who do not know git.

HTTP, below ``{base_url}atelier-toolbar/``, with Jupyter's own authentication and XSRF check. All
is JSON; every path, asked or answered, is one of Jupyter's contents API (relative to the server's
root folder, with ``/``). Answers hold codes; sentences are the front's.

``GET status?path=P[&ask=1]``: what changed since the last save. With ``ask=1`` GitLab is asked
what is newer; without, the answer says what is known::

    {"repository": null | {"path", "branch": null | name, "web_url": null | address},
     "gitlab": "reached" | "unreachable" | "denied" | "not asked",
     "ahead": n, "behind": n,
     "file": null | {"path", "state": "saved" | "here" | "newer" | "both" | "new" | "ignored"
                                      | "kept_beside"},
     "changes": [{"path", "change": "new" | "modified" | "deleted" | "renamed", "was"?: path}],
     "busy": bool,
     "check": null | address}

``check`` is where the desk checks the answer in the file, a path on the hub's host: null when the
course has no exercise for it. It is the saved version that is checked, as GitLab has it.

``POST check`` ``{"path", "lang"?}``: the desk checks the saved version of the file, which takes
from a second to minutes: ``{"result": {...}}`` with what `atelier.desk.notebook_checks` answers,
its ``page`` being an address for the browser, or ``{"problem": {"code", ...}}``.

``GET proposal?path=P&lang=fr``: ``{"message"}``, one line that a save could carry.

``POST save`` ``{"path", "message", "files": null | [path, ...], "lang"?}`` and ``POST pull``
``{"path", "lang"?}``: lines of JSON (``application/x-ndjson``). First the steps, as they begin:
``{"step": "commit" | "fetch" | "merge" | "push"}``; then one of::

    {"result": {"commit", "commit_url", "pushed": true, "files": n, "merged": bool,
                "reload": [path], "kept_beside": [{"path", "kept"}]}}           # save
    {"result": {"updated": [path], "up_to_date": bool,
                "reload": [path], "kept_beside": [{"path", "kept"}]}}           # pull
    {"problem": {"code", "detail"?, "reload"?: [path], "kept_beside"?: [...], ...}}

``reload`` lists the files whose content on disk is another one now (or that are gone).
``kept`` is the file that holds the learner's version; at ``path`` is GitLab's. When the learner's
folder itself stood in the way of a file, ``kept`` is a folder.

The problems, beside ``code``:

========================  =====================================================================
``not_a_clone``           the file lies in no git repository, or one without a remote
``no_branch``             the clone is on no branch (a detached HEAD)
``unfinished``            a rebase or the like begun in a terminal waits; ``operation`` names it
``no_identity``           git does not know the learner's name and address
``nothing``               nothing to save, nothing to send
``too_large``             ``files``: [{"path", "size", "limit"}], in bytes; nothing was committed
``bad_name``              ``path``: not a file of this clone
``offline``               GitLab does not answer; ``committed``: whether a commit was made here
``too_often``             GitLab was asked too often; ``committed``: as above
``denied``                GitLab gives no access; ``committed``
``refused``               GitLab answers and takes no push; ``committed``, ``detail``: its words
``busy``                  another command is at work on this clone, or a lock of git's is in use
``disk_full``             no space left; nothing was lost; ``space``: as of ``status``
``too_much``              GitLab takes less in one push; ``committed``
``moving``                GitLab moved on at each of several tries; ``committed``
``no_exercise``           of a check: the course has no exercise for the file
``check_page``            this server cannot ask for checks: ``page`` has it, as with all below
``check_refused``         the desk does not check, and says why: ``words``, ``reason`` (a key)
``check_away``            the desk does not answer, or not as it should
``failed``                anything else; ``detail``: git's last words
========================  =====================================================================

``GET view?path=P``: ``{"url": null | address, "saved": bool}``, the file in GitLab, and whether
GitLab has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "atelier-toolbar"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "atelier_toolbar"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    from atelier_toolbar.handlers import add_routes

    add_routes(server)
