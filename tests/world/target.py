"""Targets: containers that are servers, with systemd and room for a Docker engine of their own.

No `--privileged`: machines without CAP_SYS_RESOURCE refuse it, and the flags below are enough.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from world import images, paths
from world.run import HEARTBEAT_SECONDS, WorldError, capture, duration, say, succeeds

BOOT_SECONDS = 120
FLAGS = (
    "--cap-add", "ALL",
    "--security-opt", "seccomp=unconfined",
    "--security-opt", "apparmor=unconfined",
    "--security-opt", "systempaths=unconfined",
    "--cgroupns", "host",
    "--env", "container=docker",
    "--tmpfs", "/run:shared",  # else what systemd mounts in /run/credentials reaches no service
    "--tmpfs", "/run/lock",
    "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
    "--device-cgroup-rule", "b 7:* rwm",  # loop devices, for learners' homes
    "--device-cgroup-rule", "c 10:237 rwm",
)  # fmt: skip
# A machine that lacks this one refuses all of them, or, with a newer engine, refuses to name it.
LACKING = ("--cap-drop", "SYS_RESOURCE")
# The last word lets Debian 13's systemd start on a machine with version 1 control groups.
COMMAND = ("/lib/systemd/systemd", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1")
LOOPS = 64
# A container's /dev is its own: it has no loop devices, and forgets them when it stops. They are
# the machine's: what is mounted by `mount -o loop` frees its device when the container is gone.
MAKE_LOOPS = f"""set -eu
test -e /dev/loop-control || mknod -m 0600 /dev/loop-control c 10 237
for n in $(seq 0 {LOOPS - 1}); do
  test -e "/dev/loop$n" || mknod -m 0660 "/dev/loop$n" b 7 "$n"
done
"""
CACHES = {
    "apt": "/var/cache/atelier-world/apt",
    "pip": "/root/.cache/pip",
    "npm": "/root/.npm",
}
BYTECODE = "/var/cache/atelier-world/bytecode"
IMAGES = "/var/cache/atelier-world/images"
CHECKOUT_LABEL = "org.atelier.checkout"


@dataclass(frozen=True)
class Target:
    """One target container.

    Attributes:
        publish: `docker run --publish` values.
        network: Docker network to join, which must exist; None for the engine's default.
        keep_bytecode: what Python compiles of Ansible's modules is kept for the next task, which no
            real server does: a site whose speed is measured goes without.
        keep_images: the folder with the layers of course images built by earlier targets is there.
    """

    name: str
    image: str = images.TARGET
    publish: Sequence[str] = ()
    network: str | None = None
    keep_images: bool = False
    keep_bytecode: bool = True

    @property
    def volume(self) -> str:
        """Volume that holds the inner engine's images and containers."""
        return f"{self.name}-docker"

    def state(self) -> str:
        """Return Docker's word for the container: running, exited, ... or an empty string."""
        return capture(
            "docker", "container", "inspect", "-f", "{{.State.Status}}", self.name, check=False
        )

    def checkout(self) -> Path | None:
        """Return the checkout that made the container, None when no container tells."""
        form = f'{{{{index .Config.Labels "{CHECKOUT_LABEL}"}}}}'
        told = capture("docker", "container", "inspect", "-f", form, self.name, check=False)
        return Path(told) if told.startswith("/") else None

    def up(self) -> bool:
        """Create or start the container and wait until its systemd is up. True when it was not."""
        state = self.state()
        if state == "running":
            self.wait()
            return False
        if state:
            say(f"==> target {self.name}: starting again")
            capture("docker", "start", self.name)
        else:
            say(f"==> target {self.name}: starting a new server")
            self._create()
        self.wait()
        return True

    def _create(self) -> None:
        command = [*self._options(), self.image, *COMMAND]
        try:
            capture("docker", "run", "--detach", *LACKING, *command)
        except WorldError as error:
            if "CapDrop" not in str(error):
                raise
            capture("docker", "run", "--detach", *command)

    def _options(self) -> list[str]:
        options = ["--name", self.name, "--hostname", self.name, *FLAGS]
        options += ["--label", f"{CHECKOUT_LABEL}={paths.ROOT}"]
        options += ["--volume", f"{self.volume}:/var/lib/docker"]
        caches = {**CACHES, **({"images": IMAGES} if self.keep_images else {})}
        if self.keep_bytecode:
            caches["bytecode"] = BYTECODE
        for name, inside in caches.items():
            outside = paths.CACHE / "world" / name
            outside.mkdir(parents=True, exist_ok=True)
            options += ["--volume", f"{outside}:{inside}"]
        for item in self.publish:
            options += ["--publish", item]
        if self.network:
            options += ["--network", self.network]
        return options

    def wait(self) -> None:
        """Wait until systemd says that it has started everything it can.

        Raises:
            WorldError: it has not within two minutes, or the container died.
        """
        began = spoke = time.monotonic()
        while True:
            word = self.run("systemctl", "is-system-running", check=False)
            if word in {"running", "degraded"}:
                self._make_loops()
                return
            if self.state() != "running":
                logs = capture("docker", "logs", "--tail", "20", self.name, check=False)
                raise WorldError(f"The target {self.name} died while starting:\n{logs}")
            now = time.monotonic()
            if now - began > BOOT_SECONDS:
                raise WorldError(
                    f"The target {self.name} has not started in {BOOT_SECONDS} s ({word})."
                )
            if now - spoke > HEARTBEAT_SECONDS:
                say(f"   ... target {self.name} is starting: {duration(now - began)}")
                spoke = now
            time.sleep(0.5)

    def _make_loops(self) -> None:
        try:
            self.run("sh", "-c", MAKE_LOOPS)
        except WorldError as error:
            raise WorldError(
                f"The target {self.name} may have no loop devices: an earlier version made it, or"
                f" this machine has none. Remove it and try again.\n{error}"
            ) from None

    def run(self, *command: str, check: bool = True, stdin: str | None = None) -> str:
        """Run a command inside and return its output."""
        interactive = ["-i"] if stdin is not None else []
        return capture(
            "docker", "exec", *interactive, self.name, *command, check=check, stdin=stdin
        )

    def read(self, path: str | Path) -> str:
        """Return the text of a file inside."""
        return self.run("cat", str(path))

    def keep_course_images(self) -> None:
        """Keep the course images for the next target, in the background: it takes half a minute."""
        capture(
            "docker",
            "exec",
            "--detach",
            self.name,
            "/usr/local/lib/atelier-world/image-pool",
        )

    def down(self) -> bool:
        """Remove the container and its volume. True when there was something."""
        found = bool(self.state()) or succeeds("docker", "volume", "inspect", self.volume)
        capture("docker", "rm", "--force", "--volumes", self.name, check=False)
        capture("docker", "volume", "rm", "--force", self.volume, check=False)
        return found
