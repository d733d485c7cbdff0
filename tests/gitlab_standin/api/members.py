"""Members of groups and of projects."""

from typing import Any

from sqlalchemy import or_, select

from gitlab_standin import access
from gitlab_standin.access import MAINTAINER, OWNER
from gitlab_standin.api import entities, pagination
from gitlab_standin.api.core import Call, Reply, fail, forbidden, invalid, not_found, route
from gitlab_standin.models import Member, Namespace, Project, User
from gitlab_standin.site import find_user

LEVELS = (5, 10, 15, 20, 30, 40, 50)
ROLES = {10: "Guest", 20: "Reporter", 30: "Developer", 40: "Maintainer", 50: "Owner"}
_QUERY = {"query": "str", "user_ids": "list", "skip_users": "list", "state": "str"}


def _source(call: Call, kind: str, *, manage: bool = False) -> Project | Namespace:
    if kind == "projects":
        return call.project(MAINTAINER if manage else 0)
    return call.group(OWNER if manage else 0)


def _type(source: Project | Namespace) -> str:
    return "Project" if isinstance(source, Project) else "Namespace"


def _rows(call: Call, source: Project | Namespace, *, inherited: bool) -> list[Member]:
    places = [(_type(source), source.id)]
    if inherited:
        namespace = source.namespace if isinstance(source, Project) else source.parent
        places += [("Namespace", n.id) for n in access.ancestors(namespace)]
    conditions = [
        (Member.source_type == kind) & (Member.source_id == number) for kind, number in places
    ]
    query = select(Member).join(Member.user).where(or_(*conditions)).order_by(Member.id)
    if call["query"]:
        text = call["query"]
        query = query.where(
            or_(
                User.name.icontains(text, autoescape=True),
                User.username.icontains(text, autoescape=True),
            )
        )
    if call["user_ids"]:
        query = query.where(Member.user_id.in_([int(i) for i in call["user_ids"]]))
    if call["skip_users"]:
        query = query.where(Member.user_id.not_in([int(i) for i in call["skip_users"]]))
    best: dict[int, Member] = {}
    for row in call.session.scalars(query):
        if row.user_id not in best or best[row.user_id].access_level < row.access_level:
            best[row.user_id] = row
    return list(best.values())


def _render(call: Call, row: Member) -> dict[str, Any]:
    creator = call.session.get(User, row.created_by_id) if row.created_by_id else None
    return entities.member(call.site, row, creator)


def _owner(call: Call, source: Project | Namespace) -> list[Member]:
    """The owner of a personal namespace stands among its projects' members."""
    if not isinstance(source, Project) or source.namespace.kind != "user":
        return []
    user = call.session.get(User, source.namespace.owner_id)
    if user is None:
        return []
    return [
        Member(
            user=user,
            user_id=user.id,
            access_level=OWNER,
            created_at=source.created_at,
            source_type="Project",
            source_id=source.id,
        )
    ]


def _listing(call: Call, kind: str, *, inherited: bool) -> Reply:
    source = _source(call, kind)
    rows = _rows(call, source, inherited=inherited)
    with call.session.no_autoflush:
        if not call["query"] and not call["user_ids"]:
            owner = _owner(call, source)
            rows = [*owner, *(r for r in rows if r.user_id not in {o.user_id for o in owner})]
        return pagination.of_list(call, rows, lambda row: _render(call, row))


def _find(call: Call, kind: str, *, inherited: bool = False, manage: bool = False) -> Member:
    source = _source(call, kind, manage=manage)
    wanted = call.route["user_id"]
    for row in _rows(call, source, inherited=inherited):
        if str(row.user_id) == wanted:
            return row
    return not_found() if inherited else not_found("Member")


def _check_level(call: Call, source: Project | Namespace, level: int) -> None:
    if level not in LEVELS:
        invalid("access_level does not have a valid value")
    if call.me.is_admin:
        return
    if isinstance(source, Project):
        own = access.project_level(call.session, call.me, source)
    else:
        own = access.group_level(call.session, call.me, source)
    if level > own:
        forbidden()


def _add_one(call: Call, source: Project | Namespace, reference: str) -> Member:
    user = find_user(call.session, reference)
    if user is None:
        not_found("User")
    present = call.session.scalar(
        select(Member.id).where(
            Member.source_type == _type(source),
            Member.source_id == source.id,
            Member.user_id == user.id,
        )
    )
    if present is not None:
        fail(409, "Member already exists")
    if isinstance(source, Project) and source.namespace.owner_id == user.id:
        fail(400, {"user": ["You cannot change the role of the namespace owner"]})
    namespace = source.namespace if isinstance(source, Project) else source.parent
    above = access.group_level(call.session, user, namespace) if namespace is not None else 0
    if above > call["access_level"]:
        role = ROLES.get(above, "Developer")
        place = namespace.name if namespace else ""
        text = f"should be greater than or equal to {role} inherited membership from group {place}"
        fail(400, {"access_level": [text]})
    row = Member(
        source_type=_type(source),
        source_id=source.id,
        user_id=user.id,
        user=user,
        access_level=call["access_level"],
        expires_at=call["expires_at"],
        created_by_id=call.me.id,
    )
    call.session.add(row)
    call.session.flush()
    return row


def _add(call: Call, kind: str) -> Any:
    source = _source(call, kind, manage=True)
    _check_level(call, source, call["access_level"])
    references = call["user_id"] if call["user_id"] is not None else call["username"]
    if references is None:
        invalid("user_id, username are missing, exactly one parameter must be provided")
    if call["user_id"] is not None and call["username"] is not None:
        invalid("user_id, username are mutually exclusive")
    wanted = [part.strip() for part in str(references).split(",")]
    if len(wanted) == 1:
        return _render(call, _add_one(call, source, wanted[0]))
    for reference in wanted:
        _add_one(call, source, reference)
    return {"status": "success"}


def _register(kind: str) -> None:
    """The same operations for groups and for projects."""
    base = f"/{kind}/:id/members"

    def listing(call: Call) -> Any:
        return _listing(call, kind, inherited=False)

    def listing_all(call: Call) -> Any:
        return _listing(call, kind, inherited=True)

    def add(call: Call) -> Any:
        return _add(call, kind)

    def get(call: Call) -> Any:
        return _render(call, _find(call, kind))

    def get_all(call: Call) -> Any:
        return _render(call, _find(call, kind, inherited=True))

    def update(call: Call) -> Any:
        row = _find(call, kind, manage=True)
        _check_level(call, _source(call, kind), call["access_level"])
        row.access_level = call["access_level"]
        if "expires_at" in call:
            row.expires_at = call["expires_at"]
        return _render(call, row)

    def remove(call: Call) -> None:
        own = call.user is not None and call.route["user_id"] == str(call.user.id)
        row = _find(call, kind, manage=not own)
        last = kind == "groups" and row.access_level == OWNER
        if (
            last
            and sum(r.access_level == OWNER for r in _rows(call, call.group(), inherited=False))
            == 1
        ):
            forbidden()
        call.session.delete(row)

    add_parameters = {
        "access_level": "int!",
        "user_id": "any",
        "username": "str",
        "expires_at": "date",
        "invite_source": "str",
    }
    route("GET", base, _QUERY, anonymous=True)(listing)
    route("GET", f"{base}/all", _QUERY, anonymous=True)(listing_all)
    route("POST", base, add_parameters)(add)
    route("GET", f"{base}/all/:user_id", anonymous=True)(get_all)
    route("GET", f"{base}/:user_id", anonymous=True)(get)
    route("PUT", f"{base}/:user_id", {"access_level": "int!", "expires_at": "date"})(update)
    route(
        "DELETE", f"{base}/:user_id", {"skip_subresources": "bool", "unassign_issuables": "bool"}
    )(remove)


_register("groups")
_register("projects")


@route("GET", "/users/:user_id/memberships", {"type": ("Project", "Namespace")})
def memberships(call: Call) -> Reply:
    """GET /users/:user_id/memberships: where somebody is a direct member, for administrators."""
    call.require_admin()
    user = call.some_user("user_id")
    query = select(Member).where(Member.user_id == user.id)
    if call["type"]:
        query = query.where(Member.source_type == call["type"])

    def render(rows: list[Member]) -> list[Any]:
        shown = []
        for row in rows:
            place: Project | Namespace | None
            if row.source_type == "Project":
                place = call.session.get(Project, row.source_id)
            else:
                place = call.session.get(Namespace, row.source_id)
            shown.append(
                {
                    "source_id": row.source_id,
                    "source_name": place.name if place else None,
                    "source_type": row.source_type,
                    # A string, as in GitLab's documentation of the operation.
                    "access_level": str(row.access_level),
                }
            )
        return shown

    return pagination.of_query(call, query.order_by(Member.id), render)
