"""`make archives`: the collection and its two Python packages, as files to give away.

The same commit gives the same bytes, whoever builds it, in whatever folder, whenever: members are
sorted, their times are the commit's (`SOURCE_DATE_EPOCH`), owners and modes are fixed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from world import needs, paths, venv
from world.run import WorldError, capture, say, stream

FOLDER = paths.ROOT / "build"
PACKAGES = ("files/atelier", "files/toolbar")


def epoch() -> int:
    """Return when the last commit was made, in seconds since 1970."""
    return int(capture("git", "-C", str(paths.ROOT), "log", "-1", "--format=%ct"))


def collection(source: Path, output: Path, time: int) -> Path:
    """Build the collection that lies in a folder.

    Args:
        source: has galaxy.yml.
        output: folder for the archive; made where it is missing.
        time: of all members, in seconds since 1970.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="atelier-archive-") as folder:
        galaxy = venv.program("ansible-galaxy")
        capture(galaxy, "collection", "build", str(source), "--output-path", folder)
        (built,) = Path(folder).glob("*.tar.gz")
        archive = output / built.name
        archive.write_bytes(_steady(built, time))
    return archive


def _steady(built: Path, time: int) -> bytes:
    """Return an archive of ansible-galaxy's, without what the moment and the folder left in it."""
    with tarfile.open(built) as tar:
        members = {member.name: member for member in tar.getmembers()}
        contents = {
            name: file.read()
            for name, member in members.items()
            if member.isreg() and (file := tar.extractfile(member))
        }
    # The order of listing is the file system's.
    files = json.loads(contents["FILES.json"])
    files["files"].sort(key=lambda entry: entry["name"])
    contents["FILES.json"] = json.dumps(files, indent=1).encode()
    manifest = json.loads(contents["MANIFEST.json"])
    digest = hashlib.sha256(contents["FILES.json"]).hexdigest()
    manifest["file_manifest_file"]["chksum_sha256"] = digest
    contents["MANIFEST.json"] = json.dumps(manifest, indent=1).encode()
    first = ("MANIFEST.json", "FILES.json")
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in (*first, *sorted(set(members) - set(first))):
            member, content = members[name], contents.get(name)
            member.mtime, member.pax_headers = time, {}
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            if member.issym():
                member.mode = 0o777
            member.size = len(content) if content is not None else 0
            tar.addfile(member, io.BytesIO(content) if content is not None else None)
    return gzip.compress(plain.getvalue(), mtime=time)


def wheel(source: Path, output: Path, time: int, python: str) -> Path:
    """Build a Python package's wheel with an environment that has what builds it.

    Args:
        source: the package's folder, which stays as it is.
        output: folder for the wheel.
        time: of all members, in seconds since 1970.
        python: path of the environment's interpreter.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="atelier-wheel-") as folder:
        copy, made = Path(folder) / source.name, Path(folder) / "made"
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns(*LEFT_BY_TOOLS))
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        bin_folder = Path(python).parent
        # What the build makes besides the copied files has modes too.
        masked = ["sh", "-c", 'umask 022; exec "$@"', "sh"]
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
        stream(
            f"building the wheel of {source.name}",
            [*masked, python, "-m", "pip", "wheel", "--no-index", *options, "-w", made, copy],
            env={
                **venv.trust(),
                "SOURCE_DATE_EPOCH": str(time),
                "PATH": f"{bin_folder}:{os.environ['PATH']}",
                "PYTHONPATH": "",
            },
        )
        (built,) = made.glob("*.whl")
        shutil.copyfile(built, output / built.name)
    return output / built.name


LEFT_BY_TOOLS = ("*.egg-info", "*.pyc", "__pycache__", ".*", "build", "lib", "labextension",
                 "node_modules")  # fmt: skip


def builder(package: str, folder: Path) -> str:
    """Make an environment with what builds a package, by its lock. Returns its interpreter."""
    shutil.rmtree(folder, ignore_errors=True)
    stream("making the virtual environment", [sys.executable, "-m", "venv", folder])
    python = str(folder / "bin/python")
    lock = paths.ROOT / package / "build-requirements.txt"
    install = [venv.program("uv"), "pip", "install", "--quiet", *venv.HASHED, "--python", python]
    stream(f"installing what builds {package}", [*install, "-r", str(lock)], env=venv.trust())
    return python


def archives() -> int:
    """Make the archive and the wheels of the last commit. Returns an exit code."""
    found = needs.Needs()
    needs.venv(found)
    needs.programs(found, {"git": "git"})
    found.settle()
    venv.ensure()
    if capture("git", "-C", str(paths.ROOT), "status", "--porcelain"):
        raise WorldError("There are changes that are not committed: archives are of a commit.")
    time = epoch()
    with tempfile.TemporaryDirectory(prefix="atelier-commit-") as folder:
        export(Path(folder))
        made = [collection(Path(folder), FOLDER, time)]
        for package in PACKAGES:
            python = builder(package, Path(folder) / ".builder")
            made.append(wheel(Path(folder) / package, FOLDER, time, python))
    for path in made:
        say(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(paths.ROOT)}")
    return 0


def export(folder: Path) -> None:
    """Write the files of the last commit into a folder."""
    command = ["git", "-C", str(paths.ROOT), "archive", "--format=tar", "HEAD"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as archive:
        done = subprocess.run(["tar", "-x", "-C", str(folder)], stdin=archive.stdout, check=False)
    if archive.returncode or done.returncode:
        raise WorldError("git could not give the files of the last commit.")
