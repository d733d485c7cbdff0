# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Which images an archive on the controller holds, told from its table of contents."""

from __future__ import annotations

DOCUMENTATION = r"""
name: image_archive
short_description: Identity and names of the images in an archive made by docker save
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Reads the manifest of an archive on the controller. It names the images by the hashes of their
    contents, so two archives with the same manifest hold the same images. That takes a moment,
    where a hash of the whole archive takes a while each time.
options:
  _terms:
    description: Archives, plain or compressed; looked for as with M(ansible.builtin.copy).
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Say what the archive holds
  ansible.builtin.debug:
    msg: "{{ lookup('mooc.atelier.image_archive', 'gitlab.tar').names | join(', ') }}"
"""

RETURN = r"""
_raw:
  description: For each archive, what it holds; C(null) where there is no such file.
  type: list
  elements: dict
  contains:
    identity:
      description: Hash that is the same for archives with the same images under the same names.
      type: str
    names:
      description: Names of the images, with their tags.
      type: list
      elements: str
"""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

MANIFEST = "manifest.json"
REMEDY = "Make it with: docker save -o FILE IMAGE."


def manifest(path: Path) -> bytes:
    """Return an archive's manifest.

    Raises:
        AnsibleError: it is no archive, or one without a manifest; says how to make one.
    """
    try:
        with tarfile.open(path) as archive:
            member = archive.extractfile(MANIFEST)
            if member is not None:
                return member.read()
    except (OSError, EOFError, KeyError, tarfile.TarError) as error:
        reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
        raise AnsibleError(f"{path} is not an archive of images{reason}. {REMEDY}") from error
    raise AnsibleError(f"{path} is not an archive of images. {REMEDY}")


def names(text: bytes) -> list[str]:
    """Return the images' names in a manifest; none where the images have no names."""
    try:
        images = json.loads(text)
    except ValueError:
        return []
    return [name for image in images for name in image.get("RepoTags") or []]


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible's base class has no types
    """Reads the archives' manifests."""

    def run(
        self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[dict[str, Any] | None]:
        """Return what each archive holds."""
        self.set_options(var_options=variables, direct=kwargs)
        return [self._look(term, variables) for term in terms]

    def _look(self, term: str, variables: dict[str, Any] | None) -> dict[str, Any] | None:
        found = self.find_file_in_search_path(variables, "files", term, ignore_missing=True)
        if found is None:
            return None
        text = manifest(Path(found))
        return {"identity": hashlib.sha256(text).hexdigest(), "names": names(text)}
