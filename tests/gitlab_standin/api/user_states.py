"""Blocking, deactivating and approving accounts."""

from typing import Any

from gitlab_standin.api.core import Call, Reply, fail, forbidden, route


@route("POST", "/users/:id/block")
def block_user(call: Call) -> Any:
    """POST /users/:id/block: ``true``, ``null`` when it was blocked before."""
    admin = call.require_admin()
    user = call.some_user()
    if user.id == admin.id:
        forbidden("The API initiating user cannot be blocked by the API")
    if user.state == "blocked":
        return Reply(201, None)
    if user.state == "ldap_blocked":
        forbidden("LDAP blocked users cannot be modified by the API")
    user.state = "blocked"
    return True


@route("POST", "/users/:id/unblock")
def unblock_user(call: Call) -> Any:
    """POST /users/:id/unblock: ``true``, ``false`` when it was not blocked."""
    call.require_admin()
    user = call.some_user()
    if user.state == "deactivated":
        forbidden("Deactivated users cannot be unblocked by the API")
    if user.state != "blocked":
        return False
    user.state = "active"
    return True


@route("POST", "/users/:id/deactivate")
def deactivate_user(call: Call) -> Any:
    """POST /users/:id/deactivate."""
    call.require_admin()
    user = call.some_user()
    if user.state == "blocked":
        forbidden("Error occurred. A blocked user cannot be deactivated")
    if user.state == "deactivated":
        return None
    user.state = "deactivated"
    return True


@route("POST", "/users/:id/activate")
def activate_user(call: Call) -> Any:
    """POST /users/:id/activate."""
    call.require_admin()
    user = call.some_user()
    if user.state == "blocked":
        forbidden("A blocked user must be unblocked to be activated")
    user.state = "active"
    return True


@route("POST", "/users/:id/approve")
def approve_user(call: Call) -> Any:
    """POST /users/:id/approve."""
    call.require_admin()
    user = call.some_user()
    if user.state != "blocked_pending_approval":
        fail(409, "The user you are trying to approve is not pending approval")
    user.state = "active"
    return {"message": "Success"}
