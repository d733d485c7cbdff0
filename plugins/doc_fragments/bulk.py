# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Options of the modules that serve whole classes, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """How many at a time, and how far it is."""

    DOCUMENTATION = r"""
options:
  workers:
    description:
      - How many learners are worked on at the same time, from 1 to 64. Each one sends one
        request at a time.
      - When GitLab asks to slow down (429), all of them wait for as long as it says.
    type: int
    default: 8
  progress:
    description:
      - Show how far it is (learners done, rate, time left) while the module runs, at most every
        few seconds.
      - Short lists are done before there is anything to show; see O(progress_from).
    type: bool
    default: true
  progress_from:
    description: Lists of at least this many learners are watched.
    type: int
    default: 25
  progress_folder:
    description: Where the module says how far it is. Filled in by the controller's half; leave
      it out.
    type: path
notes:
  - A failure of one learner does not stop the others. The module ends failed, with who and why
    in RV(ignore:failed_learners),
    having done the rest; run again, it does only what is missing.
  - What fails for everybody, such as a refused token or a GitLab that does not answer any more,
    stops it early.
"""
