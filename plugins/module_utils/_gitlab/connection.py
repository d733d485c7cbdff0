# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""The modules' connection to GitLab, and their error messages."""

from __future__ import annotations

import ssl
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

try:
    import gitlab as gitlab  # the alias exports the name for modules
    import gitlab.exceptions
    import requests

    GITLAB_IMPORT_ERROR: str | None = None
except ImportError:
    GITLAB_IMPORT_ERROR = traceback.format_exc()

from .._run.background import detach
from .own_host import own_host_session

MINIMUM_PYTHON_GITLAB = (3, 12)
SYSTEM_CA_FILE = Path("/etc/ssl/certs/ca-certificates.crt")

CONNECTION_ARGUMENTS: dict[str, dict[str, Any]] = {
    "api_url": {"type": "str", "required": True},
    "token_file": {"type": "path", "required": True, "no_log": False},
    "ca_file": {"type": "path"},
    "timeout": {"type": "float", "default": 30.0},
}


class InstanceError(Exception):
    """A problem with GitLab or its settings that the operator can fix; the text says how."""


def library_problem() -> str | None:
    """Describe a missing or too old python-gitlab; return ``None`` if it is usable."""
    wanted = ".".join(map(str, MINIMUM_PYTHON_GITLAB))
    where = f"Python {sys.version.split()[0]} at {sys.executable}"
    remedy = "Debian's package python3-gitlab brings it (role gitlab installs it)."
    if GITLAB_IMPORT_ERROR is not None:
        return f"python-gitlab >= {wanted} is needed, but {where} has none. {remedy}"
    found = tuple(int(part) for part in gitlab.__version__.split(".")[:2])
    if found < MINIMUM_PYTHON_GITLAB:
        return (
            f"python-gitlab >= {wanted} is needed, but {where} has {gitlab.__version__} "
            f"in {Path(gitlab.__file__).parent}. {remedy}"
        )
    return None


def read_token(token_file: str) -> str:
    """Read the token from a file.

    Raises:
        InstanceError: the file is unreadable or invalid; the text does not quote its content.
    """
    path = Path(token_file)
    try:
        token = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InstanceError(
            f"The file with GitLab's token, {path}, cannot be read: {error.strerror}. "
            "Role gitlab makes it (or takes gitlab_admin_token when gitlab_deployment is external)."
        ) from error
    if not token or any(character.isspace() for character in token):
        raise InstanceError(f"The file {path} must hold one access token and nothing else.")
    return token


def check_address(api_url: str) -> None:
    """Validate GitLab's address: with an empty one, python-gitlab would send the token to its
    default host.

    Raises:
        InstanceError: the address is invalid, or contains a password.
    """
    try:
        parts = urlsplit(api_url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if good and parts.username is None and not parts.query and not parts.fragment:
        return
    secret = any(mark in api_url for mark in "@?#")
    shown = "no such address" if secret else f"{api_url!r}"
    raise InstanceError(
        f"api_url is {shown}: it must be GitLab's address, such as "
        "https://gitlab.mooc.example.org, without user name, query or fragment."
    )


def _elsewhere(text: str) -> InstanceError:
    return InstanceError(f"{text}: write GitLab's own address (gitlab_api_url).")


def connect(params: dict[str, Any]) -> gitlab.Gitlab:
    """Return a client for a module's parameters (``CONNECTION_ARGUMENTS``); sends no request."""
    check_address(params["api_url"])
    if params["timeout"] <= 0:
        raise InstanceError(f"timeout is {params['timeout']}: it must be more than 0 seconds.")
    ca_file = params.get("ca_file")
    if ca_file is None and SYSTEM_CA_FILE.exists():
        # requests has its own list of authorities, without the site's.
        ca_file = str(SYSTEM_CA_FILE)
    return gitlab.Gitlab(
        params["api_url"].rstrip("/"),
        private_token=read_token(params["token_file"]),
        ssl_verify=ca_file or True,
        timeout=params["timeout"],
        session=own_host_session(_elsewhere),
        # Pagination links have the external address; keep the given one.
        keep_base_url=True,
    )


def serve(
    module: Any,
    work: Callable[[], dict[str, Any]],
    explain: Callable[[Exception, dict[str, Any]], str],
) -> None:
    """Run a module that uses GitLab: check the library, and report each failure as one sentence.

    Args:
        module: an ``AnsibleModule``.
        work: does the work and returns the result, with ``changed``.
        explain: returns the error message for an exception and the module's parameters.
    """
    problem = library_problem()
    if problem:
        module.fail_json(msg=problem)
    if module.params.get("progress_folder"):
        detach(Path(module.params["progress_folder"]))
    try:
        result = work()
    except Exception as error:
        module.fail_json(msg=explain(error, module.params))
    module.exit_json(**result)


def explain_failure(error: Exception, params: dict[str, Any]) -> str:
    """Describe a failure in one sentence: the request, GitLab's answer, and what to check."""
    api_url, token_file = params["api_url"], params["token_file"]
    if isinstance(error, InstanceError):
        return str(error)
    if isinstance(error, gitlab.exceptions.GitlabAuthenticationError):
        return (
            f"GitLab at {api_url} refuses the token in {token_file} (401): it is wrong, expired or "
            "revoked. Remove the file and run role gitlab again to have a new one made."
        )
    if isinstance(error, gitlab.exceptions.GitlabError):
        return explain_answer(error, api_url, token_file)
    if isinstance(error, requests.exceptions.SSLError):
        return (
            f"The certificate of {api_url} is not trusted here: {innermost(error)}. Add the "
            "authority to atelier_ca_certificates (or ca_file), or fix the certificate."
        )
    if isinstance(error, requests.exceptions.Timeout):
        return f"GitLab at {api_url} did not answer in time. Is it still starting?"
    if isinstance(error, requests.exceptions.RequestException):
        return (
            f"GitLab at {api_url} cannot be reached: {innermost(error)}. Check the address "
            "(gitlab_api_url), name resolution, and that the web server runs."
        )
    return f"Unexpected failure while talking to GitLab at {api_url}: {error}"


def explain_answer(error: gitlab.exceptions.GitlabError, api_url: str, token_file: str) -> str:
    """Explain an error answer, with GitLab's own message."""
    code = error.response_code
    said = str(error.error_message)[:400]
    if code == 403 and "insufficient_scope" in said:
        return f"The token in {token_file} lacks a scope: it needs `api`. GitLab said: {said}"
    if code == 403:
        return (
            f"GitLab at {api_url} answered 403 to the token in {token_file}: it must belong to an "
            f"administrator (and carry `admin_mode` where Admin Mode is on). GitLab said: {said}"
        )
    if code == 404 or (code is not None and code < 400) or "<html" in said.lower():
        return (
            f"No GitLab API where it was looked for, {api_url}/api/v4 (code {code}): the address "
            f"may be wrong, or lead to another service. It said: {said}"
        )
    return f"GitLab at {api_url} answered {code}: {said}"


def innermost(error: BaseException) -> str:
    """Return the message of the original cause, which urllib3 wraps several times."""
    seen: set[int] = set()
    current: BaseException = error
    while id(current) not in seen:
        seen.add(id(current))
        wrapped = getattr(current, "reason", None) or (current.args[0] if current.args else None)
        if isinstance(current, ssl.SSLCertVerificationError) or not isinstance(
            wrapped, BaseException
        ):
            break
        current = wrapped
    return str(getattr(current, "verify_message", None) or current)


def parse_version(text: str) -> tuple[int, int, int]:
    """Parse a version such as ``19.3.2-ce.0``, which gives ``(19, 3, 2)``."""
    numbers = [int(part) for part in text.split("-")[0].split(".")[:3] if part.isdigit()]
    if not numbers:
        raise InstanceError(f"GitLab's version {text!r} is not understood.")
    major, minor, patch = [*numbers, 0, 0][:3]
    return major, minor, patch
