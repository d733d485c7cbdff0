#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Returns which of several images the Docker engine has."""

from __future__ import annotations

DOCUMENTATION = r"""
module: images_info
short_description: Which of several images the Docker engine has
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Asks the engine for the IDs and labels of all the images in one round trip, without its command.
  - An image that is missing is an answer, never an error.
options:
  images:
    description: Names of images, as C(docker image inspect) takes them. Empty ones are left out.
    type: list
    elements: str
    required: true
  socket:
    description: Where the engine listens.
    type: path
    default: /run/docker.sock
attributes:
  check_mode:
    support: full
    description: Where there is no engine, a dry run finds no image; any other run fails.
extends_documentation_fragment:
  - mooc.atelier.attributes.info_module
"""

EXAMPLES = r"""
- name: See whether the image is there
  mooc.atelier.images_info:
    images: [debian:13-slim]
  register: found

- name: Pull it
  ansible.builtin.command: docker pull debian:13-slim
  when: found.ids['debian:13-slim'] is none
"""

RETURN = r"""
ids:
  description: ID of each of O(images); null where the engine has none of that name.
  returned: success
  type: dict
  sample: {"debian:13-slim": "sha256:27a090bec842"}
labels:
  description: Labels of each of O(images); none where the engine has none of that name.
  returned: success
  type: dict
  sample: {"debian:13-slim": {}}
"""

import http.client
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ansible.module_utils.basic import AnsibleModule

SECONDS = 60.0


class EngineConnection(http.client.HTTPConnection):
    """A connection to an engine that listens on a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self.path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def inspect(connection: EngineConnection, name: str) -> dict[str, Any] | None:
    """Return the engine's data of an image; None if it has no image with that name.

    Raises:
        ValueError: the engine returns an error.
    """
    connection.request("GET", f"/images/{quote(name, safe='/:@')}/json")
    answer = connection.getresponse()
    content = answer.read()
    if answer.status == http.client.NOT_FOUND:
        return None
    if answer.status != http.client.OK:
        raise ValueError(f"{answer.status}: {content.decode(errors='replace').strip()[:400]}")
    known: dict[str, Any] = json.loads(content)
    return known


def answers(known: dict[str, dict[str, Any] | None]) -> dict[str, Any]:
    """Return the ids and labels of the images."""
    return {
        "ids": {name: image["Id"] if image else None for name, image in known.items()},
        "labels": {
            name: image["Config"].get("Labels") or {} if image else {}
            for name, image in known.items()
        },
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "list", "elements": "str", "required": True},
            "socket": {"type": "path", "default": "/run/docker.sock"},
        },
        supports_check_mode=True,
    )
    names = [name for name in module.params["images"] if name]
    path = module.params["socket"]
    if module.check_mode and not Path(path).exists():
        module.exit_json(changed=False, **answers(dict.fromkeys(names)))
    connection = EngineConnection(path)
    try:
        found = answers({name: inspect(connection, name) for name in names})
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        module.fail_json(msg=f"The engine at {path} does not say which images it has: {error}")
    finally:
        connection.close()
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
