"""Version and application settings."""

from typing import Any

from gitlab_standin import REVISION, VERSION, defaults
from gitlab_standin.api.core import Call, fail, forbidden, invalid, route
from gitlab_standin.config import Config
from gitlab_standin.models import Setting

_KINDS: dict[type, Any] = {
    bool: "bool",
    int: "int",
    float: "any",
    list: "list",
    dict: "obj",
    str: "str",
}
_VISIBILITY = ("private", "internal", "public")
_SETTABLE: dict[str, Any] = {
    name: _KINDS.get(type(value), "str")
    for name, value in defaults.application_settings(Config("http://localhost")).items()
    if name != "id"
}
_SETTABLE |= {
    "default_project_visibility": _VISIBILITY,
    "default_group_visibility": _VISIBILITY,
    "default_snippet_visibility": _VISIBILITY,
    "default_branch_protection": (0, 1, 2, 3, 4),
    "default_project_creation": (0, 1, 2, 3, 4),
    "email_confirmation_setting": ("off", "soft", "hard"),
    "enabled_git_access_protocol": ("ssh", "http", "all", ""),
    "max_login_attempts": "int",
    "receive_max_input_size": "int",
}
# Accepted, and forgotten or turned into another setting.
_SETTABLE |= {"signin_enabled": "bool", "password_authentication_enabled": "bool"}


def _metadata() -> dict[str, Any]:
    return {
        "version": VERSION,
        "revision": REVISION,
        "kas": {
            "enabled": False,
            "externalUrl": None,
            "externalK8sProxyUrl": None,
            "version": None,
        },
        "enterprise": False,
    }


@route("GET", "/version", scopes=("read_user",))
def version(_call: Call) -> Any:
    """GET /version."""
    return _metadata()


@route("GET", "/metadata", scopes=("read_user",))
def metadata(_call: Call) -> Any:
    """GET /metadata."""
    return _metadata()


@route("GET", "/application/settings")
def get_settings(call: Call) -> Any:
    """GET /application/settings."""
    call.require_admin()
    return call.site.settings(call.session)


@route("PUT", "/application/settings", _SETTABLE)
def put_settings(call: Call) -> Any:
    """PUT /application/settings."""
    call.require_admin()
    given = {k: call[k] for k in _SETTABLE if k in call}
    if not given:
        invalid(
            f"{', '.join(sorted(_SETTABLE))} are missing, at least one parameter must be provided"
        )
    for alias in ("signin_enabled", "password_authentication_enabled"):
        if alias in given:
            given["password_authentication_enabled_for_web"] = given.pop(alias)
    days = given.get("deletion_adjourned_period")
    if days is not None and not 1 <= days <= 90:
        fail(400, {"deletion_adjourned_period": ["must be between 1 and 90"]})
    levels = given.get("restricted_visibility_levels")
    if levels is not None and not set(levels) <= set(_VISIBILITY):
        forbidden()
    known = defaults.application_settings(call.site.config)
    for name, value in given.items():
        if name in known:
            call.session.merge(Setting(name=name, value={"value": value}))
    call.session.flush()
    call.settings_changed = True
    return call.site.settings(call.session)
