#!/usr/bin/python3
"""Write what a place is made of as CycloneDX 1.6: Python, JavaScript, R and Debian packages.

The course image has this as `atelier-sbom`, a server as /opt/atelier/libexec/write-sbom. The same
place gives the same bytes: no time, no chance. Hashes are those of the archives that were
installed, where pip's reports or npm's lock tell them.

Standard library only, since it adds nothing to what it describes.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import importlib.metadata
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote as percent_encoded

Component = dict[str, Any]
SPEC = "1.6"
NAMESPACE = uuid.UUID("0b6d6a4e-5a0f-5d0b-9c64-7f2f5d1d9f0e")
"""Of the serial numbers, which are made of the content."""
R_PACKAGES = Path("/usr/local/lib/R/site-library")
"""What a recipe's install.R adds; R's other packages are Debian's."""
LICENSES = "third-party-licenses.json"
"""Where builds of JupyterLab and its extensions list the JavaScript that they hold."""
WITH_LICENSES = (
    f"share/jupyter/**/{LICENSES}",
    f"lib/python3*/site-packages/*/static/{LICENSES}",
)
ASKED_OF_DPKG = (
    r"${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}"
    r"\t${db:Status-Status}\n"
)


def quoted(text: str, more: str = "") -> str:
    """Return a part of a purl as its specification encodes it."""
    return percent_encoded(text, safe=f"-._~:{more}")


def component(purl: str, name: str, version: str, hashes: Mapping[str, str]) -> Component:
    """Describe a package; `hashes` are hexadecimal, by CycloneDX's name of the algorithm."""
    made: Component = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
    if hashes:
        made["hashes"] = [{"alg": alg, "content": hashes[alg]} for alg in sorted(hashes)]
    return made


def pip_hashes(reports: Iterable[Path]) -> dict[tuple[str, str], str]:
    """Read what pip reported of its installations, gzipped or not; a later one wins.

    Returns the SHA-256 of the archive by (canonical name, version).
    """
    found: dict[tuple[str, str], str] = {}
    for report in reports:
        content = report.read_bytes()
        text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        for item in json.loads(text)["install"]:
            about = item["metadata"]
            archive = item["download_info"].get("archive_info", {})
            digest = archive.get("hashes", {}).get("sha256")
            if digest:
                found[canonical(about["name"]), about["version"]] = digest
    return found


def canonical(name: str) -> str:
    """Return a Python package's name as indexes and purl spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def python_packages(
    folders: Iterable[str], hashes: Mapping[tuple[str, str], str]
) -> Iterator[Component]:
    """Describe the distributions that lie in some folders of packages."""
    for found in importlib.metadata.distributions(path=list(folders)):
        name, version = canonical(found.metadata["Name"]), found.version
        digest = hashes.get((name, version))
        yield component(
            f"pkg:pypi/{name}@{quoted(version)}",
            found.metadata["Name"],
            version,
            {"SHA-256": digest} if digest else {},
        )


def npm_package(name: str, version: str, integrity: str = "") -> Component:
    """Describe a JavaScript package; `integrity` as in a lock file, "sha512-<base64>"."""
    kind, _, digest = integrity.partition("-")
    known = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
    hashes = {known[kind]: base64.b64decode(digest).hex()} if kind in known else {}
    return component(f"pkg:npm/{quoted(name, '/')}@{quoted(version)}", name, version, hashes)


def npm_lock(lock: Path) -> Iterator[Component]:
    """Describe what a package-lock.json installs, without what only developers need."""
    for where, package in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        if where and not package.get("dev") and not package.get("link"):
            name = package.get("name") or where.rpartition("node_modules/")[2]
            yield npm_package(name, package["version"], package.get("integrity", ""))


def bundled(prefix: Path) -> Iterator[Component]:
    """Describe the JavaScript that Python packages bring along.

    JupyterLab, Notebook and their extensions list it; the hub has it as npm left it.
    """
    for listed in sorted(path for pattern in WITH_LICENSES for path in prefix.glob(pattern)):
        for package in json.loads(listed.read_text(encoding="utf-8"))["packages"]:
            if package.get("versionInfo"):
                yield npm_package(package["name"], package["versionInfo"])
    for described in sorted(prefix.glob("share/jupyterhub/static/components/**/package.json")):
        about = json.loads(described.read_text(encoding="utf-8"))
        if about.get("name") and about.get("version"):
            yield npm_package(about["name"], about["version"])


def system() -> dict[str, str]:
    """Return /etc/os-release."""
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value.strip("\"'") for name, _, value in pairs}


def operating_system(about: Mapping[str, str]) -> Component:
    """Describe the distribution: scanners choose their lists by it."""
    name, version = about["ID"], about.get("VERSION_ID", "")
    return {"type": "operating-system", "bom-ref": f"os:{name}", "name": name, "version": version}


def debian_packages(listed: str, about: Mapping[str, str]) -> Iterator[Component]:
    """Describe installed Debian packages.

    Args:
        listed: dpkg-query's answer to `ASKED_OF_DPKG`.
        about: /etc/os-release.
    """
    distro = f"{about['ID']}-{about.get('VERSION_ID', '')}"
    for line in listed.splitlines():
        name, version, architecture, source, source_version, status = line.split("\t")
        if status != "installed":
            continue
        told = {"arch": architecture, "distro": distro}
        if (source, source_version) != (name, version):
            told["upstream"] = f"{source}@{source_version}"
        qualifiers = "&".join(f"{key}={quoted(told[key])}" for key in sorted(told))
        purl = f"pkg:deb/{about['ID']}/{quoted(name)}@{quoted(version)}"
        yield component(f"{purl}?{qualifiers}", name, version, {})


def r_packages(library: Path = R_PACKAGES) -> Iterator[Component]:
    """Describe the R packages of a library."""
    for description in sorted(library.glob("*/DESCRIPTION")):
        text = description.read_text(encoding="utf-8", errors="replace")
        about = dict(re.findall(r"^(Package|Version): *(\S+)", text, re.MULTILINE))
        if len(about) == 2:
            purl = f"pkg:cran/{about['Package']}@{quoted(about['Version'])}"
            yield component(purl, about["Package"], about["Version"], {})


def document(kind: str, name: str, version: str, parts: Iterable[Component]) -> str:
    """Write the bill of materials of a thing.

    Args:
        kind: CycloneDX's type of component: "application" or "container".
        name: the thing's.
        version: the thing's; may be empty.
        parts: what it is made of; the same package twice is listed once, with hashes if one has.
    """
    once: dict[str, Component] = {}
    for part in parts:
        if "hashes" in part or part["bom-ref"] not in once:
            once[part["bom-ref"]] = part
    subject: Component = {"type": kind, "bom-ref": f"atelier:{name}", "name": name}
    if version:
        subject["version"] = version
    listed = sorted(once)
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "atelier-sbom"}]},
            "component": subject,
        },
        "components": [once[ref] for ref in listed],
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": listed}],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    whole = {"serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, digest)}", **content}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _environment(options: argparse.Namespace) -> Iterator[Component]:
    prefix = options.environment
    folders = [str(folder) for folder in sorted(prefix.glob("lib/python3*/site-packages"))]
    yield from python_packages(folders, pip_hashes(sorted(prefix.glob("share/atelier/pip/*"))))
    yield from bundled(prefix)


def _parts(options: argparse.Namespace) -> Iterator[Component]:
    if options.environment:
        yield from _environment(options)
    if options.npm_lock:
        yield from npm_lock(options.npm_lock)
    if options.system:
        about = system()
        yield operating_system(about)
        asked = ["dpkg-query", "--show", f"--showformat={ASKED_OF_DPKG}"]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)  # noqa: S603
        yield from debian_packages(done.stdout, about)
        yield from r_packages()


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--type", default="application", choices=["application", "container"])
    parser.add_argument("--name", required=True, help="of the thing that is described")
    parser.add_argument("--version", default="")
    parser.add_argument("--environment", type=Path, help="a virtual environment of its")
    parser.add_argument("--npm-lock", type=Path, help="a package-lock.json that was installed")
    parser.add_argument("--system", action="store_true", help="the Debian and R packages here")
    parser.add_argument("--output", type=Path, help="written as a whole; else standard output")
    options = parser.parse_args()
    text = document(options.type, options.name, options.version, _parts(options))
    if not options.output:
        sys.stdout.write(text)
        return 0
    new = options.output.with_name(f".{options.output.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o644)
    new.replace(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
