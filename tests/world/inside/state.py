"""Runs inside a server, by its own Python: prints its state as JSON (see fingerprint.py).

Standard input: a JSON object that maps values that belong to this server alone to names.
"""

from __future__ import annotations

import grp
import hashlib
import json
import pwd
import re
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

ROOTS = (
    "/etc/atelier",
    "/etc/nginx/sites-enabled",
    "/etc/nginx/conf.d",
    "/etc/docker/daemon.json",
    "/etc/hosts",
    "/srv/gitlab/config/gitlab.rb",
)
UNITS = (
    "docker", "nginx", "atelier-proxy", "atelier-hub", "atelier-desk", "atelier-homes",
    "atelier-runner", "atelier-firewall",
)  # fmt: skip
MADE_HERE = ("/etc/atelier/secrets/", "/etc/atelier/pki/", "/etc/atelier/tls/")
# Named after its inputs, of which the server's own authority is one.
COURSE_IMAGE = re.compile(r"(atelier/course-[a-z0-9-]+):[0-9a-f]{12}")
GITLAB = "http://127.0.0.1:8929/api/v4/"
GITLAB_SETTINGS = (
    "can_create_group",
    "default_branch_name",
    "default_group_visibility",
    "default_project_visibility",
    "default_snippet_visibility",
    "gravatar_enabled",
    "require_admin_approval_after_user_signup",
    "restricted_visibility_levels",
    "signup_enabled",
)


def out(*command: str) -> str:
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def lines(*command: str) -> list[str]:
    """Return the lines a command prints, sorted."""
    return sorted(out(*command).splitlines())


def own_names() -> dict[str, str]:
    """Map what belongs to this server alone to names: addresses, secrets, the inventory's too."""
    names: dict[str, str] = json.load(sys.stdin)
    # Docker takes the first range that the machine's other networks leave free.
    form = "{{(index .IPAM.Config 0).Gateway}}"
    names[out("docker", "network", "inspect", "-f", form, "bridge") or "no bridge"] = "bridge"
    for path in Path("/etc/atelier/secrets").glob("*"):
        value = path.read_text().strip()
        if len(value) >= 12:
            names[value] = path.name
    return names


def content(path: Path, own: dict[str, str]) -> str:
    """Hash a file's content with names in place of what belongs to this server alone."""
    if str(path).startswith(MADE_HERE):
        return "made here"
    text = path.read_bytes().decode("utf-8", "replace")
    if path == Path("/etc/hosts"):  # Docker adds the container's own name and address
        text = "\n".join(sorted(line for line in text.splitlines() if "localhost" in line))
    for value, name in own.items():
        text = text.replace(value, f"<{name}>")
    text = COURSE_IMAGE.sub(r"\1:<inputs>", text)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def files(own: dict[str, str]) -> dict[str, list[str]]:
    """Describe the site's files: mode, owner, and kind or content."""
    found: dict[str, list[str]] = {}
    units = [path for path in Path("/etc/systemd/system").glob("atelier-*") if path.is_file()]
    for top in (*map(Path, ROOTS), *units):
        for path in [top, *top.rglob("*")] if top.is_dir() else [top]:
            if path.name.endswith("~"):
                continue  # Ansible's backups carry dates
            about = path.lstat()
            owner = f"{pwd.getpwuid(about.st_uid).pw_name}:{grp.getgrgid(about.st_gid).gr_name}"
            if path.is_symlink():
                kind = f"link to {path.readlink()}"
            else:
                kind = "directory" if path.is_dir() else content(path, own)
            found[str(path)] = [oct(stat.S_IMODE(about.st_mode)), owner, kind]
    return found


def networks() -> list[dict[str, Any]]:
    """Describe the learners' network without what changes at each creation."""
    found: list[dict[str, Any]] = json.loads(
        out("docker", "network", "inspect", "atelier-learners") or "[]"
    )
    for network in found:
        for key in ("Id", "Created", "Containers"):
            network.pop(key, None)
    return found


def gitlab(path: str, token: str) -> Any:
    """Ask GitLab's API."""
    request = urllib.request.Request(GITLAB + path, headers={"PRIVATE-TOKEN": token})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def gitlab_state() -> dict[str, Any]:
    """Describe what the roles set in GitLab."""
    token = Path("/etc/atelier/secrets/gitlab_admin_token").read_text().strip()
    settings = gitlab("application/settings", token)
    groups = gitlab("groups?per_page=100", token)
    projects = gitlab("projects?per_page=100&search=template", token)
    return {
        "settings": {name: settings.get(name) for name in GITLAB_SETTINGS},
        "groups": sorted([group["full_path"], group["visibility"]] for group in groups),
        "templates": sorted(
            [project["path_with_namespace"], project["visibility"], project["default_branch"]]
            for project in projects
            if project["path"] == "template"
        ),
    }


def template_trees() -> dict[str, str]:
    """Return the hash of each mirror's content; the dates of commits differ between servers."""
    git = ("git", "-c", "safe.directory=*", "--git-dir")
    return {
        path.name: out(*git, str(path), "rev-parse", "main^{tree}")
        for path in Path("/var/lib/atelier/templates").glob("*.git")
    }


def main() -> None:
    """Print the state."""
    everyone = [user.pw_name for user in pwd.getpwall() if user.pw_name.startswith("atelier")]
    state = {
        "files": files(own_names()),
        "units": {
            unit: [out("systemctl", "is-active", unit), out("systemctl", "is-enabled", unit)]
            for unit in UNITS
        },
        "failed units": lines("systemctl", "--failed", "--plain", "--no-legend"),
        "accounts": {
            name: sorted(group.gr_name for group in grp.getgrall() if name in group.gr_mem)
            for name in everyone
        },
        "images": sorted(
            {
                COURSE_IMAGE.sub(r"\1:<inputs>", line)
                for line in lines("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
                if "<none>" not in line
            }
        ),
        "networks": networks(),
        "containers": [
            line
            for line in lines("docker", "ps", "--format", "{{.Names}} {{.Image}}")
            if not line.startswith("atelier-")  # a learner's
        ],
        # Our own package was built in a folder that is gone.
        "packages": [
            line.partition(" @ file:")[0] for line in lines("/opt/atelier/venv/bin/pip", "freeze")
        ],
        "templates": template_trees(),
        "gitlab": gitlab_state(),
    }
    print(json.dumps(state))


if __name__ == "__main__":
    main()
