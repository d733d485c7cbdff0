"""Request bodies.

JSON, forms and multipart, with Rack's names for nested values (``a[b]``, ``a[]``).
"""

import email.parser
import email.policy
import json
from typing import Any
from urllib.parse import parse_qsl

from gitlab_standin.api.core import invalid


def _store(target: dict[str, Any], key: str, value: Any) -> None:
    name, bracket, rest = key.partition("[")
    if not bracket:
        target[name] = value
        return
    inner, _, more = rest.partition("]")
    if inner == "":
        holder = target.setdefault(name, [])
        if isinstance(holder, list):
            holder.append(value)
        return
    nested = target.setdefault(name, {})
    if isinstance(nested, dict):
        _store(nested, inner + more, value)


def form(text: str) -> dict[str, Any]:
    """A query string or an urlencoded body."""
    values: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        _store(values, key, value)
    return values


def _multipart(content: bytes, content_type: str) -> dict[str, Any]:
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    message = parser.parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + content)
    values: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            is_file = part.get_filename() is not None
            _store(values, name, payload if is_file else payload.decode(errors="replace"))
    return values


def parse(content: bytes, content_type: str) -> dict[str, Any]:
    """The body's parameters; 400 when it is not what it says."""
    kind = content_type.partition(";")[0].strip().lower()
    if not content:
        return {}
    if kind == "application/json":
        try:
            values = json.loads(content)
        except ValueError:
            invalid("Problem processing your request: the JSON body could not be parsed")
        if not isinstance(values, dict):
            invalid("The request body must be a JSON object")
        return values
    if kind == "application/x-www-form-urlencoded":
        return form(content.decode(errors="replace"))
    if kind == "multipart/form-data":
        return _multipart(content, content_type)
    return invalid("The provided content-type is not supported.")
