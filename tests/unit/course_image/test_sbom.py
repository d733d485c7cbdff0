"""Bills of materials are as CycloneDX has them, and the same place gives the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from atelier_notebook import sbom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[3]
WRITER = ROOT / "roles/jupyterhub/files/libexec/write-sbom"
LOCK = ROOT / "roles/jupyterhub/files/proxy/node20/package-lock.json"
DEBIAN = {"ID": "debian", "VERSION_ID": "13"}
DIGEST = hashlib.sha256(b"").hexdigest()


def check(text: str) -> dict[str, Any]:
    """Fail unless it is CycloneDX, with a purl for each package; return it read."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert error is None, error
    read: dict[str, Any] = json.loads(text)
    for part in read["components"]:
        if part["type"] == "library":
            assert PackageURL.from_string(part["purl"]).to_string() == part["purl"]
    return read


def by_purl(read: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["purl"]: part for part in read["components"] if "purl" in part}


def report(path: Path, name: str, version: str, digest: str) -> Path:
    """A report of pip's, of one package."""
    about = {"archive_info": {"hash": f"sha256={digest}", "hashes": {"sha256": digest}}}
    item = {"metadata": {"name": name, "version": version}, "download_info": about}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(json.dumps({"install": [item]}).encode()))
    return path


def distribution(prefix: Path, name: str, version: str) -> None:
    """A package of an environment."""
    folder = prefix / f"lib/python3.13/site-packages/{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def write(*options: str | Path, umask: int = 0o22) -> str:
    """Run the command as a server does; what it wrote."""
    command = [sys.executable, "-I", WRITER, "--name", "atelier-thing", *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, umask=umask)
    return done.stdout


def test_an_environment_is_listed_with_the_archives_that_made_it(tmp_path: Path) -> None:
    distribution(tmp_path, "Two_Words", "1.0+local")
    distribution(tmp_path, "unknown", "2")
    report(tmp_path / "share/atelier/pip/1-base.json.gz", "two.words", "1.0+local", "1" * 64)
    report(tmp_path / "share/atelier/pip/2-recipe.json.gz", "two-words", "1.0+local", DIGEST)
    listed = tmp_path / "share/jupyter/lab/static/third-party-licenses.json"
    listed.parent.mkdir(parents=True)
    listed.write_text(
        json.dumps(
            {
                "packages": [
                    {"name": "@lumino/widgets", "versionInfo": "2.7.0", "extractedText": "x"},
                    {"name": "nameless", "versionInfo": "", "extractedText": "x"},
                ]
            }
        )
    )
    hub = tmp_path / "share/jupyterhub/static/components/jquery/package.json"
    hub.parent.mkdir(parents=True)
    hub.write_text('{"name": "jquery", "version": "3.7.1"}')
    found = by_purl(check(write("--environment", tmp_path)))
    assert {purl: part.get("hashes") for purl, part in found.items()} == {
        "pkg:pypi/two-words@1.0%2Blocal": [{"alg": "SHA-256", "content": DIGEST}],
        "pkg:pypi/unknown@2": None,
        "pkg:npm/%40lumino/widgets@2.7.0": None,
        "pkg:npm/jquery@3.7.1": None,
    }


def test_the_proxy_is_listed_with_the_hashes_of_its_lock() -> None:
    read = check(write("--npm-lock", LOCK))
    packages = json.loads(LOCK.read_text())["packages"]
    assert len(read["components"]) == len({name for name in packages if name})
    proxy = by_purl(read)["pkg:npm/configurable-http-proxy@5.3.0"]
    assert [entry["alg"] for entry in proxy["hashes"]] == ["SHA-512"]
    assert read["dependencies"][0]["dependsOn"] == sorted(by_purl(read))


def test_debian_packages_have_their_source_and_release() -> None:
    listed = (
        "libc6\t2.41-12+deb13u1\tamd64\tglibc\t2.41-12+deb13u1\tinstalled\n"
        "git\t1:2.47.3-0+deb13u1\tamd64\tgit\t1:2.47.3-0+deb13u1\tinstalled\n"
        "gone\t1\tall\tgone\t1\tconfig-files\n"
    )
    parts = [sbom.operating_system(DEBIAN), *sbom.debian_packages(listed, DEBIAN)]
    found = by_purl(check(sbom.document("container", "x", "1", parts)))
    purls = {PackageURL.from_string(purl).name: PackageURL.from_string(purl) for purl in found}
    assert purls.keys() == {"libc6", "git"}
    assert purls["git"].version == "1:2.47.3-0+deb13u1"
    assert purls["git"].qualifiers == {"arch": "amd64", "distro": "debian-13"}
    assert purls["libc6"].qualifiers["upstream"] == "glibc@2.41-12+deb13u1"


def test_r_packages_of_a_recipe_are_listed(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/DESCRIPTION").write_text("Package: tiny\nTitle: T\nVersion: 0.1-2\n")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/DESCRIPTION").write_text("Title: no name\n")
    assert [part["purl"] for part in sbom.r_packages(tmp_path)] == ["pkg:cran/tiny@0.1-2"]


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="not a Debian")
def test_this_machine_is_listed_as_cyclonedx_has_it() -> None:
    read = check(
        write("--type", "container", "--version", "1", "--environment", sys.prefix, "--system")
    )
    kinds = {PackageURL.from_string(purl).type for purl in by_purl(read)}
    assert kinds >= {"pypi", "deb", "npm"}
    assert read["metadata"]["component"]["type"] == "container"


def test_the_same_place_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        distribution(tmp_path, name, "1")
    first = write("--environment", tmp_path)
    assert write("--environment", tmp_path) == first
    output = tmp_path / "sbom.cdx.json"
    assert write("--environment", tmp_path, "--output", output, umask=0o77) == ""
    assert output.read_text() == first
    assert output.stat().st_mode & 0o777 == 0o644
    distribution(tmp_path, "d", "1")
    assert json.loads(write("--environment", tmp_path))["serialNumber"] not in first
