"""Pages of a listing: offset and keyset, with GitLab's headers."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Select, func, select

from gitlab_standin.api.core import ApiError, Call, Reply, invalid

MAX_PER_PAGE = 100
COUNTED_UP_TO = 10_000
MAX_OFFSET = 50_000


def _number(call: Call, name: str, default: int) -> int:
    text = str(call[name] or default)
    if not text.isdigit():
        invalid(f"{name} is invalid")
    return max(1, int(text))


def _link(call: Call, changes: dict[str, Any], drop: tuple[str, ...] = ()) -> str:
    query = dict(parse_qsl(call.headers.get("query", ""), keep_blank_values=True))
    query.pop("private_token", None)
    for name in drop:
        query.pop(name, None)
    query.update({k: str(v) for k, v in changes.items()})
    return f"{call.site.url('/api/v4')}{call.path}?{urlencode(query)}"


def next_link(call: Call, changes: dict[str, Any]) -> str:
    """A Link header with the next page only, as keyset listings have it."""
    return f'<{_link(call, changes, drop=("page",))}>; rel="next"'


def _headers(call: Call, page: int, per_page: int, total: int | None, more: bool) -> dict[str, str]:
    links = []
    if page > 1:
        links.append((page - 1, "prev"))
    if more:
        links.append((page + 1, "next"))
    links.append((1, "first"))
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(per_page),
        "X-Next-Page": str(page + 1) if more else "",
        "X-Prev-Page": str(page - 1) if page > 1 else "",
    }
    if total is not None:
        pages = max(1, -(-total // per_page))
        links.append((pages, "last"))
        headers |= {"X-Total": str(total), "X-Total-Pages": str(pages)}
    headers["Link"] = ", ".join(
        f'<{_link(call, {"page": number, "per_page": per_page})}>; rel="{name}"'
        for number, name in links
    )
    return headers


def of_list(call: Call, items: Sequence[Any], render: Callable[[Any], Any]) -> Reply:
    """A page of something already at hand."""
    page = _number(call, "page", 1)
    per_page = min(_number(call, "per_page", 20), MAX_PER_PAGE)
    start = (page - 1) * per_page
    shown = [render(item) for item in items[start : start + per_page]]
    more = start + per_page < len(items)
    return Reply(200, shown, _headers(call, page, per_page, len(items), more))


def of_stream(
    call: Call, fetch: Callable[[int, int], Sequence[Any]], render: Callable[[Any], Any]
) -> Reply:
    """A page of something not counted: ``fetch(skip, limit)``."""
    page = _number(call, "page", 1)
    per_page = min(_number(call, "per_page", 20), MAX_PER_PAGE)
    items = fetch((page - 1) * per_page, per_page + 1)
    shown = [render(item) for item in items[:per_page]]
    return Reply(200, shown, _headers(call, page, per_page, None, len(items) > per_page))


def of_query(
    call: Call,
    query: Select[Any],
    render: Callable[[list[Any]], list[Any]],
    *,
    key: Any = None,
    keyset_name: str | None = None,
    kind: str = "Project",
) -> Reply:
    """A page of rows.

    ``render`` turns a page of rows into JSON. Where keyset pagination exists, ``key`` is the id
    column and ``keyset_name`` is ``id_after`` (projects) or ``cursor`` (users).
    """
    per_page = min(_number(call, "per_page", 20), MAX_PER_PAGE)
    if call["pagination"] == "keyset":
        if keyset_name is None or key is None or call["order_by"] not in {None, "id"}:
            text = "Keyset pagination is not yet available for this type of request"
            raise ApiError(405, {"error": text})
        return _keyset(call, query, render, per_page, key, keyset_name)
    page = _number(call, "page", 1)
    if keyset_name and (page - 1) * per_page > MAX_OFFSET:
        text = (
            f"Offset pagination has a maximum allowed offset of {MAX_OFFSET} for requests that "
            "return objects "
            f"of type {kind}. Remaining records can be retrieved using keyset pagination."
        )
        raise ApiError(405, {"error": text})
    only_ids = query.with_only_columns(query.column_descriptions[0]["entity"].id).order_by(None)
    counted = only_ids.limit(COUNTED_UP_TO + 1).subquery()
    total: int | None = call.session.scalar(select(func.count()).select_from(counted))
    rows = list(call.session.scalars(query.limit(per_page + 1).offset((page - 1) * per_page)))
    more = len(rows) > per_page
    known = total if total is not None and total <= COUNTED_UP_TO else None
    return Reply(200, render(rows[:per_page]), _headers(call, page, per_page, known, more))


def _keyset(
    call: Call,
    query: Select[Any],
    render: Callable[[list[Any]], list[Any]],
    per_page: int,
    key: Any,
    name: str,
) -> Reply:
    descending = (call["sort"] or "desc") == "desc"
    if name == "cursor" and call["cursor"]:
        try:
            last = int(json.loads(base64.urlsafe_b64decode(str(call["cursor"])))["id"])
        except (ValueError, KeyError, TypeError):
            invalid("cursor is invalid")
        query = query.where(key < last if descending else key > last)
    query = query.order_by(None).order_by(key.desc() if descending else key)
    rows = list(call.session.scalars(query.limit(per_page + 1)))
    shown = rows[:per_page]
    headers = {}
    if len(rows) > per_page:
        if name == "cursor":
            value = base64.urlsafe_b64encode(
                json.dumps({"id": str(shown[-1].id)}).encode()
            ).decode()
            changes: dict[str, Any] = {"cursor": value}
        else:
            changes = {("id_before" if descending else "id_after"): shown[-1].id}
        headers["Link"] = next_link(call, {**changes, "per_page": per_page})
    return Reply(200, render(shown), headers)
