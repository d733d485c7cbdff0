# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""How modules reach GitLab, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options shared by every module that talks to GitLab."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of GitLab, for example C(https://gitlab.mooc.example.org), without C(/api/v4).
    type: str
    required: true
  token_file:
    description:
      - File on the host where the module runs that holds an administrator's access token with
        scope C(api), and nothing else.
      - The token itself never passes through the playbook.
    type: path
    required: true
  ca_file:
    description:
      - PEM file of the certificate authorities to trust; the system's own when not given.
    type: path
  timeout:
    description: Seconds to wait for an answer to one request.
    type: float
    default: 30.0
requirements:
  - python-gitlab >= 3.12
notes:
  - Dropped connections and answers 500, 502, 503 and 504 are tried again, with growing pauses, up
    to seven times. Before something is made a second time, the module looks whether the first try
    made it after all.
  - When GitLab asks to slow down (429), the module waits as long as GitLab says. If that is more
    than 15 minutes, it fails at once and says how long to wait.
"""
