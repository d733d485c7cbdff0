#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wait_ready
short_description: Wait until a command succeeds on the target, with visible progress
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Runs a command on the target again and again until its exit code is 0.
  - Shows a line after every failed try, with what is awaited, how long it has been and the last
    answer, so that a long start never looks like a hang.
options:
  command:
    description: Program and arguments; ready when it exits with 0. Each try is cut after 8 seconds.
    type: list
    elements: str
    required: true
  what:
    description: What is awaited, in words for the person who watches.
    type: str
    required: true
  timeout:
    description: Seconds after which the task fails.
    type: int
    default: 300
  interval:
    description: Longest pause between two tries, in seconds, at most 10. It is shorter at first.
    type: float
    default: 5.0
  abort_if:
    description:
      - Program and arguments; when it exits with 0 after a failed try, waiting longer is pointless
        and the task fails at once.
    type: list
    elements: str
  hint:
    description: Added to the message of a failure, to say where to look.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Nothing is waited for in check mode.
  diff_mode:
    support: none
    description: Nothing is changed.
extends_documentation_fragment:
  - mooc.atelier.attributes
"""

EXAMPLES = r"""
- name: Wait until GitLab answers
  mooc.atelier.wait_ready:
    what: GitLab
    command: [docker, exec, gitlab, curl, -fsS, "http://localhost/-/readiness"]
    timeout: 1200
    interval: 10
    hint: Look at `docker logs --tail 50 gitlab` on the server.
"""

RETURN = r"""
elapsed:
  description: Seconds until the answer.
  type: int
  returned: success
  sample: 187
tries:
  description: How many times the command ran.
  type: int
  returned: success
  sample: 19
"""
