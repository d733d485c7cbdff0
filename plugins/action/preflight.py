# Copyright: The Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Controller's half of `mooc.atelier.preflight`: checks settings and files.

Secrets stay on the controller.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.plugins.action import ActionBase
from ansible.release import __version__ as ansible_version
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.acme import (
    HOOK,
    hook_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.certificates import (
    ALL_NAMES,
    authority_findings,
    issuers,
    site_certificate_findings,
    strict_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.courses import (
    course_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    Settings,
    is_name,
    report,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.notebooks import (
    AS_IT_WAS,
    address_findings,
    has_own_hosts,
    names_to_look_up,
    wildcard,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.platforms import (
    platform_hosts,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.server import (
    addresses,
    check_repository,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.site import site_findings
from ansible_collections.mooc.atelier.plugins.module_utils._schema.kinds import as_integer
from ansible_collections.mooc.atelier.plugins.module_utils._schema.paths import (
    has_password,
    is_repository,
)

OLDEST_ANSIBLE = (2, 19)
FOR_THE_SERVER = (
    "systems", "minimum_memory_mb", "recommended_memory_mb", "minimum_disk_mb",
    "recommended_disk_mb", "disk_paths", "clock_tolerance", "git_timeout", "gitlab_deployment",
    "http_proxy", "https_proxy", "no_proxy", "platform_private_hosts",
    "gitlab_url", "homes",
)  # fmt: skip
ALL_HOSTS = (
    "Ask for one with {} among its names, or give one for it alone in"
    f" atelier_notebook_tls_certificate. {AS_IT_WAS}"
)
NO_PATH = (
    "Give the path of a file on the machine that runs Ansible, absolute or relative to the"
    " playbook."
)


class ActionModule(ActionBase):
    """Checks the settings, lets the module check the server, and returns all findings at once."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the checks of the controller and the module; return all findings."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        settings: Settings = self._task.args["settings"]
        authorities: list[str] = []
        strict: list[Finding] = []
        findings = [
            *controller_findings(),
            *site_findings(settings),
            *course_findings(settings),
            *self._certificate_files(settings, strict),
            *self._authority_files(settings, authorities, strict),
            *self._other_files(settings),
        ]
        ports = [dict(port) for port in settings["ports"] if as_integer(port["port"])]
        for port in ports:
            port["port"] = as_integer(port["port"])
        arguments = {
            "settings": {
                **{name: settings[name] for name in FOR_THE_SERVER},
                "courses": list(limits(settings)),
            },
            "ports": ports,
            "repositories": list(repositories(settings)),
            "platform_hosts": list(platform_hosts(settings)),
            "authorities": "\n".join(authorities),
            "names": names_to_look_up(settings),
            "strict": [{**finding.as_dict(), "grave": finding.grave} for finding in strict],
            "now": time.time(),
        }
        seen = self._execute_module(
            module_name="mooc.atelier.preflight", module_args=arguments, task_vars=task_vars
        )
        if seen.get("failed"):
            return dict(seen)
        findings += [Finding(**finding) for finding in seen["findings"]]
        here = addresses(names_to_look_up(settings))
        findings += address_findings(settings, here, seen["addresses"], seen["installed"])
        for repository in seen["unreached"]:
            findings += check_from_controller(repository, settings, "\n".join(authorities))
        advice = [finding for finding in findings if not finding.grave]
        result.update(
            changed=False,
            failures=[finding.as_dict() for finding in findings if finding.grave],
            advice=[finding.as_dict() for finding in advice],
            report=report(findings),
            warnings=[f"{item.variable} {item.problem}. {item.fix}" for item in advice],
        )
        return result

    def _read(self, variable: str, path: Any) -> tuple[bytes, list[Finding]]:
        """Return the content of a controller's file, decrypted if it is a vault."""
        try:
            found = self._find_needle("files", str(path))
            real = self._loader.get_real_file(found, decrypt=True)
            try:
                return Path(real).read_bytes(), []
            finally:
                self._loader.cleanup_tmp_file(real)
        except (AnsibleFileNotFound, FileNotFoundError):
            return b"", [Finding(variable, f"leads to no file ({path})", NO_PATH)]
        except (AnsibleError, OSError) as error:
            return b"", [Finding(variable, f"cannot be read ({path}: {error})", NO_PATH)]

    def _certificate_files(self, settings: Settings, strict: list[Finding]) -> Iterator[Finding]:
        """Check the site's certificates and keys; add findings of strict checks to `strict`."""
        own = has_own_hosts(settings) and settings["notebook_tls_certificate"]
        if settings["tls"] == "files":
            names = {ALL_NAMES: site_names(settings)}
            if has_own_hosts(settings) and not own:
                names[ALL_HOSTS.format(wildcard(settings))] = [wildcard(settings)]
            yield from self._pair(settings, strict, "tls", names)
        if own:
            fix = f"Ask for a certificate for {wildcard(settings)}. {AS_IT_WAS}"
            yield from self._pair(settings, [], "notebook_tls", {fix: [wildcard(settings)]})

    def _pair(
        self,
        settings: Settings,
        strict: list[Finding],
        prefix: str,
        names: Mapping[str, list[str]],
    ) -> Iterator[Finding]:
        """Check a certificate and its key; add findings of strict checks to `strict`."""
        paths = settings[f"{prefix}_certificate"], settings[f"{prefix}_key"]
        if not all(paths):
            return
        variables = f"atelier_{prefix}_certificate", f"atelier_{prefix}_key"
        certificate, no_certificate = self._read(variables[0], paths[0])
        key, no_key = self._read(variables[1], paths[1])
        yield from no_certificate
        yield from no_key
        if not no_certificate and not no_key:
            yield from site_certificate_findings(
                certificate, key, names, datetime.now(UTC), variables=variables
            )
            strict += strict_findings(variables[0], str(paths[0]), certificate)

    def _authority_files(
        self, settings: Settings, texts: list[str], strict: list[Finding]
    ) -> Iterator[Finding]:
        """Check the additional authorities; add their contents to `texts`, for the server.

        Findings of strict checks go to `strict`, as they depend on the server's Python.
        """
        variable, paths = "atelier_ca_certificates", settings["ca_certificates"]
        if not isinstance(paths, (list, tuple)):
            yield Finding(variable, "is not a list", "Write it as a list of paths.")
            return
        own = settings["tls"] == "files" and settings["tls_certificate"]
        signers = issuers(self._read(variable, own)[0]) if own else set()
        for path in paths:
            content, missing = self._read(variable, path)
            findings = missing or list(authority_findings(variable, str(path), content))
            yield from findings
            if not findings:
                texts.append(content.decode("utf-8", "replace"))
                strict += strict_findings(variable, str(path), content, signers)

    def _hook_file(self, path: Any) -> Iterator[Finding]:
        if path:
            content, missing = self._read(HOOK, path)
            yield from missing or hook_findings(str(path), content)

    def _other_files(self, settings: Settings) -> Iterator[Finding]:
        """Check archives, courses' directories and the command that writes DNS records."""
        if settings["tls"] == "acme" and settings["acme_challenge"] == "dns-hook":
            yield from self._hook_file(settings["acme_dns_hook"])
        archives = {}
        if settings["base_image_source"] == "archive":
            archives["atelier_base_image_archive"] = settings["base_image_archive"]
        if settings["gitlab_deployment"] == "omnibus":
            archives["gitlab_image_archive"] = settings["gitlab_image_archive"]
        for variable, path in archives.items():
            if not path:
                continue
            try:
                if not tarfile.is_tarfile(self._find_needle("files", str(path))):
                    yield Finding(
                        variable,
                        f"is not an archive ({path})",
                        "Make it with: docker save -o FILE IMAGE.",
                    )
            except (AnsibleError, OSError):
                yield Finding(variable, f"leads to no file ({path})", NO_PATH)
        for variable, course in named_courses(settings):
            directory = course.get("directory")
            if not directory or directory == "example":
                continue
            try:
                found = self._find_needle("files", str(directory))
            except AnsibleError:
                found = None
            if found is None or not Path(found).is_dir() or not any(Path(found).iterdir()):
                yield Finding(
                    f"{variable}.directory",
                    f"leads to no directory with files ({directory})",
                    "Give its path on the machine that runs Ansible, absolute or relative to the"
                    " playbook, or `example` for the course that comes with the collection.",
                )


def controller_findings() -> Iterator[Finding]:
    """Check the machine that runs Ansible."""
    version = tuple(int(part) for part in ansible_version.split(".")[:2])
    if version < OLDEST_ANSIBLE:
        yield Finding(
            "The machine that runs Ansible",
            f"has ansible-core {ansible_version}",
            "Install 2.19 or newer: pip install 'ansible-core>=2.19'.",
        )


def site_names(settings: Settings) -> list[str]:
    """Return the host names that the site's certificate must cover."""
    names = [settings["hub_host"]]
    if settings["gitlab_deployment"] != "external":
        names.append(settings["gitlab_host"])
    extra = settings["extra_sites"] if isinstance(settings["extra_sites"], (list, tuple)) else []
    names += [site.get("name") for site in extra if isinstance(site, Mapping)]
    return [name for name in names if is_name(name)]


def named_courses(settings: Settings) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each valid course that is not to be removed, with its name in messages."""
    courses = settings["courses"] if isinstance(settings["courses"], (list, tuple)) else []
    for number, course in enumerate(courses):
        if isinstance(course, Mapping) and course.get("state") != "absent":
            slug = course.get("slug")
            yield f"atelier_courses[{number}]" + (f" ({slug})" if slug else ""), course


def limits(settings: Settings) -> Iterator[dict[str, Any]]:
    """Yield each course's limits, which the module compares with the server's resources."""
    for name, course in named_courses(settings):
        yield {"name": name, "memory": course.get("memory"), "cpu": course.get("cpu")}


def repositories(settings: Settings) -> Iterator[dict[str, str]]:
    """Yield the courses' repositories with valid addresses, whose branch is checked."""
    for name, course in named_courses(settings):
        url = course.get("repository")
        if is_repository(url) and not has_password(str(url)):
            yield {"variable": name, "url": str(url), "branch": str(course.get("branch") or "main")}


def check_from_controller(
    repository: Mapping[str, str], settings: Settings, authorities: str
) -> list[Finding]:
    """Check a repository from the controller, if the server has no git yet."""
    local = repository["url"].startswith(("/", "file:"))
    if local or shutil.which("git", path=os.environ.get("PATH")) is None:
        return [
            Finding(
                f"{repository['variable']}.repository",
                "could not be tried, as the server has no git yet",
                "Install git on the server, or go on and see.",
                grave=False,
            )
        ]
    return check_repository(repository, settings, authorities)
