"""What an archive of images is told by, and what is said of one that is none."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader
from ansible_collections.mooc.atelier.plugins.lookup import image_archive

GITLAB = {"Config": "blobs/sha256/0123", "RepoTags": ["gitlab:1", "gitlab:latest"]}


def save(path: Path, manifest: list[dict[str, Any]] | None, layer: bytes = b"layer") -> Path:
    """Write an archive as `docker save` does."""
    files = {"blobs/sha256/4567": layer}
    if manifest is not None:
        files["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def look(*paths: Path) -> list[dict[str, Any] | None]:
    lookup = lookup_loader.get("mooc.atelier.image_archive", loader=DataLoader())
    return list(lookup.run([str(path) for path in paths], variables={}))


def test_an_archive_is_told_by_the_images_it_holds(tmp_path: Path) -> None:
    first = save(tmp_path / "first.tar", [GITLAB])
    again = save(tmp_path / "again.tar", [GITLAB])
    other = save(tmp_path / "other.tar", [GITLAB | {"Config": "blobs/sha256/89ab"}])
    renamed = save(tmp_path / "renamed.tar", [GITLAB | {"RepoTags": ["gitlab:2"]}])
    packed = tmp_path / "packed.tar.gz"
    packed.write_bytes(gzip.compress(first.read_bytes()))
    found = [one or {} for one in look(first, again, other, renamed, packed)]
    assert found[0]["names"] == ["gitlab:1", "gitlab:latest"]
    assert found[3]["names"] == ["gitlab:2"]
    assert found[0] == found[1] == found[4]
    assert len({one["identity"] for one in found}) == 3


def test_images_may_have_no_name(tmp_path: Path) -> None:
    (found,) = look(save(tmp_path / "image.tar", [{"Config": "blobs/0123", "RepoTags": None}]))
    assert found is not None
    assert found["names"] == []


def test_what_is_not_there_is_an_answer(tmp_path: Path) -> None:
    assert look(tmp_path / "missing.tar") == [None]


def test_what_is_no_archive_of_images_is_named_with_the_remedy(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<html></html>")
    bare = save(tmp_path / "bare.tar", None)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(gzip.compress(save(tmp_path / "whole.tar", [GITLAB]).read_bytes())[:40])
    for path in (page, bare, cut):
        with pytest.raises(AnsibleError, match="docker save -o FILE IMAGE") as told:
            image_archive.manifest(path)
        assert str(path) in str(told.value)
