#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: watch_command
short_description: Run a long command on the target, with visible progress
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Runs a command on the target in the background, without a shell, and shows what it says as it
    says it.
  - Shows at least one line every ten seconds, so that a long build never looks like a hang.
  - A run that was cut short is stopped when the task runs again, before the command starts anew.
  - Always reports a change; say with C(when) whether it is needed.
options:
  command:
    description: Program and arguments.
    type: list
    elements: str
    required: true
  what:
    description: What is being done, in words for the person who watches.
    type: str
    required: true
  state_dir:
    description: Directory on the target for the command's output; made when missing.
    type: path
    required: true
  show:
    description: Regular expression that finds the lines of output to show.
    type: str
    default: "^(Step |#[0-9]+ \\[)"
  timeout:
    description: Seconds after which the command is stopped and the task fails.
    type: int
    default: 3600
  hint:
    description: Added to the message of a failure, to say what remains true and where to look.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: Nothing is run in check mode.
  diff_mode:
    support: none
    description: What a command changes is not known.
extends_documentation_fragment:
  - mooc.atelier.attributes
"""

EXAMPLES = r"""
- name: Build an image
  mooc.atelier.watch_command:
    what: building example:1
    command: [docker, build, --tag, "example:1", /srv/example]
    state_dir: /var/lib/atelier/images/example/build
    hint: The image in use has not changed.
"""

RETURN = r"""
elapsed:
  description: Seconds the command took.
  type: int
  returned: when it ran
  sample: 101
output:
  description: The last lines of what it said.
  type: list
  elements: str
  returned: when it ran
rc:
  description: Its exit code.
  type: int
  returned: when it ended by itself
"""
