"""Images of the test world on the machine's Docker engine, made when missing or out of date.

- `atelier/debian:trixie`: Debian 13 and CA certificates; pulled where a registry answers,
  else debootstrap.
- `atelier/target:trixie`: the server to install on.
- `atelier/target-warm:trixie`: the same with role docker's packages, for
  the scenarios of other roles.
- `atelier/gitlab-standin:latest`: the stand-in for GitLab.
- `atelier/sandbox:trixie`: where answers of learners run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from world import needs, paths
from world.run import WorldError, capture, say, stream, succeeds

SUITE_VARIABLE = "ATELIER_TARGET_SUITE"
SUITES = {"bookworm": "debian:12-slim", "trixie": "debian:13-slim"}
"""Debian's releases to install on, with the image that a registry has of each."""
SUITE = "trixie"
TARGET_SUITE = os.environ.get(SUITE_VARIABLE, SUITE)
BASE = f"atelier/debian:{SUITE}"
TARGET = f"atelier/target:{TARGET_SUITE}"
WARM_TARGET = f"atelier/target-warm:{TARGET_SUITE}"
STANDIN = "atelier/gitlab-standin:latest"
SANDBOX = f"atelier/sandbox:{SUITE}"
NAMES = (SANDBOX, STANDIN, WARM_TARGET, TARGET, BASE)
"""What was made from others comes first: it is removed in this order."""
PULL_SECONDS = 60
INPUTS_LABEL = "org.atelier.inputs"
CACHES = {
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
}  # of tools: no input of ours
# The classic builder needs no plugin: Debian's docker.io has none.
BUILD_ENV = {"DOCKER_BUILDKIT": "0"}


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Let one process at a time make the named thing; the others wait and find it made."""
    folder = paths.CACHE / "world"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def image_id(tag: str) -> str | None:
    """Return the image's id, or None when the engine does not have it."""
    return capture("docker", "image", "inspect", "-f", "{{.Id}}", tag, check=False) or None


def _label(tag: str) -> str:
    form = f'{{{{index .Config.Labels "{INPUTS_LABEL}"}}}}'
    return capture("docker", "image", "inspect", "-f", form, tag, check=False)


def digest(*inputs: Path | str | bytes) -> str:
    """Hash files, folders (names, modes and contents) and texts into 16 hex digits."""
    total = hashlib.sha256()
    for item in inputs:
        if isinstance(item, bytes):
            total.update(item)
        elif isinstance(item, str):
            total.update(item.encode())
        elif item.is_dir():
            for path in sorted(item.rglob("*")):
                if path.is_file() and not CACHES.intersection(path.parts):
                    total.update(f"{path.relative_to(item)}:{path.stat().st_mode & 0o111}".encode())
                    total.update(path.read_bytes())
        else:
            total.update(item.read_bytes())
        total.update(b"\0")
    return total.hexdigest()[:16]


def base_of(suite: str) -> str:
    """Return the name of the base image of a release."""
    return f"atelier/debian:{suite}"


def _pull_base(pulled: str) -> bool:
    """Try a registry, briefly: most refusals come at once, some proxies never answer."""
    try:
        stream(
            "asking a registry",
            ["timeout", str(PULL_SECONDS), "docker", "pull", "--quiet", pulled],
            show=lambda _: None,
        )
    except WorldError:
        return False
    return True


def _debootstrap_base(suite: str) -> None:
    root = os.geteuid() == 0
    if root and not shutil.which("debootstrap") and shutil.which("apt-get"):
        needs.install(["debootstrap"])
    if not root or not shutil.which("debootstrap"):
        raise WorldError(
            f"The base image is missing: no registry gave {SUITES[suite]}, and it cannot be made"
            " here.\n"
            "  Either let Docker reach a registry, or run as root on Debian (it is then made with\n"
            f"  debootstrap), or load an image yourself and tag it {base_of(suite)}."
        )
    with tempfile.TemporaryDirectory(prefix="atelier-debootstrap-") as folder:
        tree = Path(folder) / suite
        stream(
            "debootstrap (about 80 s)",
            ["debootstrap", "--variant=minbase", "--include=ca-certificates", suite, tree],
            show=lambda line: f"   {line}" if line.startswith("I: Configuring") else None,
        )
        for leftover in (
            *tree.glob("var/cache/apt/archives/*.deb"),
            *tree.glob("var/lib/apt/lists/*_*"),
        ):
            leftover.unlink()
        with subprocess.Popen(["tar", "-C", str(tree), "-c", "."], stdout=subprocess.PIPE) as tar:
            done = subprocess.run(
                ["docker", "import", "--change", 'CMD ["bash"]', "-", base_of(suite)],
                stdin=tar.stdout,
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode or tar.returncode:
            raise WorldError(f"docker import of the base image failed: {done.stderr.strip()}")


def _ensure_base(suite: str = SUITE) -> bool:
    base, pulled = base_of(suite), SUITES[suite]
    if image_id(base):
        return False
    kept = archive_path("base")
    loaded = suite == SUITE and kept.exists() and succeeds("docker", "load", "-i", str(kept))
    if loaded and image_id(base):
        say("==> base image: loaded from .cache")
        return True
    say(f"==> base image: asking a registry for {pulled} (at most {PULL_SECONDS} s)")
    was_there = image_id(pulled)
    if _pull_base(pulled):
        _build("the base image", base, "pulled", f"FROM {pulled}\n{_WITH_CA_PACKAGE}", base)
        if not was_there:
            remove(pulled)  # its layers live on under our name, until `down` removes that
    else:
        say("==> base image: no registry answers; making it with debootstrap")
        _debootstrap_base(suite)
    return True


_WITH_CA_PACKAGE = (
    "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates"
    " && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb\n"
)


def _build(what: str, tag: str, inputs: str, context: Path | str, base: str) -> None:
    """Build `tag` from a folder, or from the text of a Dockerfile without context."""
    with tempfile.TemporaryDirectory(prefix="atelier-build-") as folder:
        build = Path(folder)
        if isinstance(context, str):
            (build / "Dockerfile").write_text(context, encoding="utf-8")
        else:
            shutil.copytree(
                context, build, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*CACHES, "tests")
            )
            authorities = build / "ca"
            authorities.mkdir(exist_ok=True)
            for number, certificate in enumerate(paths.ca_certificates()):
                shutil.copy(certificate, authorities / f"{number:03}-{certificate.stem}.crt")
        stream(
            what,
            ["docker", "build", "--build-arg", f"BASE_IMAGE={base}",
             "--label", f"{INPUTS_LABEL}={inputs}", "-t", tag, build],
            env=BUILD_ENV,
            show=lambda line: f"   {line}" if line.startswith(("Step ", "Success")) else None,
        )  # fmt: skip


def _ensure_built(what: str, tag: str, context: Path, base: str = BASE) -> bool:
    inputs = digest(image_id(base) or "", context, *paths.ca_certificates())
    if image_id(tag) and _label(tag) == inputs:
        return False
    say(f"==> {what}: building {tag}")
    _build(what, tag, inputs, context, base)
    return True


def ensure_base() -> bool:
    """Make the image that the others begin with. True when something was made."""
    with lock("images"):
        return _ensure_base()


def ensure_target() -> bool:
    """Make the target's image (and its base). True when something was made."""
    with lock("images"):
        made = _ensure_base(TARGET_SUITE)
        context = paths.ROOT / "tests/world/target"
        base = base_of(TARGET_SUITE)
        return _ensure_built("the target's image", TARGET, context, base) or made


def ensure_warm_target() -> bool:
    """Make the image of a server that has role docker's packages. True when something was made."""
    with lock("images"):
        made = _ensure_base(TARGET_SUITE)
        base = base_of(TARGET_SUITE)
        context = paths.ROOT / "tests/world/target"
        made = _ensure_built("the target's image", TARGET, context, base) or made
        text = _WITH_DOCKER.format(packages=" ".join(docker_packages()))
        inputs = digest(image_id(TARGET) or "", text)
        if image_id(WARM_TARGET) and _label(WARM_TARGET) == inputs:
            return made
        say(f"==> the warm target's image: building {WARM_TARGET}")
        _build("the warm target's image", WARM_TARGET, inputs, text, TARGET)
        return True


# The package lists stay: apt then asks for new ones when they are old, as on any server.
_WITH_DOCKER = (
    "ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\n"
    "RUN apt-get update"
    " && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {packages}"
    " && rm -f /var/cache/apt/archives/*.deb\n"
)


def docker_packages(suite: str = TARGET_SUITE) -> list[str]:
    """Return the packages that role docker installs on a release.

    Read without PyYAML, which the machine's own Python may not have.
    """
    text = (paths.ROOT / "roles/docker/vars/main.yml").read_text(encoding="utf-8")
    number = SUITES[suite].partition(":")[2].partition("-")[0]
    listed = re.search(rf"^  Debian {number}: \[(.+)\]$", text, re.MULTILINE) or re.search(
        r"^__docker_packages_default: \[(.+)\]$", text, re.MULTILINE
    )
    if not listed:
        raise WorldError("roles/docker/vars/main.yml does not list packages as expected.")
    return [name.strip() for name in listed[1].split(",")]


def ensure_standin() -> bool:
    """Make the stand-in's image (and its base). True when something was made."""
    with lock("images"):
        made = _ensure_base()
        context = paths.ROOT / "tests/gitlab_standin"
        return _ensure_built("the GitLab stand-in's image", STANDIN, context) or made


def ensure_sandbox() -> bool:
    """Make the image in which answers run (and its base). True when something was made."""
    with lock("images"):
        made = _ensure_base()
        context = paths.ROOT / "tests/world/sandbox"
        return _ensure_built("the image for answers", SANDBOX, context) or made


def archive_path(name: str) -> Path:
    """Return where the archive of that name is kept."""
    return paths.CACHE / "images" / f"{name}.tar"


def archive(tag: str, name: str) -> Path:
    """Keep the image as `.cache/images/NAME.tar`, written again only when the image changed."""
    target = archive_path(name)
    stamp = target.with_suffix(".id")
    target.parent.mkdir(parents=True, exist_ok=True)
    with lock(f"archive-{name}"):
        now = image_id(tag)
        if now is None:
            raise WorldError(f"The engine has no image {tag}.")
        if target.exists() and stamp.exists() and stamp.read_text() == now:
            return target
        say(f"==> keeping {tag} in {target.relative_to(paths.ROOT)}")
        partial = target.with_suffix(".partial")
        stream(f"saving {tag}", ["docker", "save", "-o", partial, tag])
        partial.replace(target)
        stamp.write_text(now)
    return target


def remove(tag: str) -> bool:
    """Remove an image unless a container uses it. True when removed."""
    return image_id(tag) is not None and succeeds("docker", "image", "rm", tag)
