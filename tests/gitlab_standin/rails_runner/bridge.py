"""Starts Ruby with the shim and answers what the script asks of the database."""

import datetime as dt
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from gitlab_standin import security
from gitlab_standin.accounts import password_problem
from gitlab_standin.api.tokens import TokenError, make_token
from gitlab_standin.database import Database
from gitlab_standin.models import Token, User, now
from gitlab_standin.site import Site

SHIM = Path(__file__).parent / "shim.rb"


class NotUniqueError(Exception):
    """A value that another record has."""


class InvalidError(Exception):
    """A record that does not pass validation."""


def _user(row: User) -> dict[str, Any]:
    return {
        "id": row.id,
        "username": row.username,
        "name": row.name,
        "email": row.email,
        "admin": row.is_admin,
        "state": row.state,
        "namespace_id": row.namespace_id,
    }


def _token(row: Token) -> dict[str, Any]:
    return {
        "id": row.id,
        "user_id": row.user_id,
        "name": row.name,
        "description": row.description,
        "scopes": row.scopes,
        "revoked": row.revoked,
        "impersonation": row.impersonation,
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
    }


def _conditions(
    model: type[User] | type[Token], given: dict[str, Any]
) -> list[ColumnElement[bool]]:
    aliases = {"admin": "is_admin"}
    found = []
    for name, value in given.items():
        if model is Token and name == "token":
            found.append(Token.digest == security.token_digest(str(value)))
        elif model is User and name in {"username", "email"} and isinstance(value, str):
            found.append(getattr(User, f"{name}_key") == value.lower())
        else:
            column = getattr(model, aliases.get(name, name), None)
            if column is None:
                raise InvalidError(f"unknown attribute '{name}'")
            found.append(column.in_(value) if isinstance(value, list) else column == value)
    return found


class Answers:
    """The operations of the shim."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._database: Database = site.database

    def users(self, conditions: dict[str, Any]) -> Any:
        """People who meet the conditions."""
        with self._database.read() as session:
            query = select(User).where(*_conditions(User, conditions)).order_by(User.id)
            return [_user(row) for row in session.scalars(query)]

    def tokens(self, conditions: dict[str, Any]) -> Any:
        """Tokens that meet the conditions."""
        with self._database.read() as session:
            query = select(Token).where(*_conditions(Token, conditions)).order_by(Token.id)
            return [_token(row) for row in session.scalars(query)]

    def update_user(self, id: int, values: dict[str, Any]) -> Any:
        """Change state or password."""
        with self._database.write() as session:
            row = session.get_one(User, id)
            if "state" in values:
                row.state = values["state"]
            if "password" in values:
                problem = password_problem(values["password"], row.username, row.email)
                if problem:
                    raise InvalidError(f"Password {problem}")
                row.password_hash = security.hash_password(values["password"])
                row.password_expires_at = None
            return _user(row)

    def save_token(self, row: dict[str, Any], token: str | None) -> Any:
        """Make a token, or give one another value."""
        with self._database.write() as session:
            if row.get("id") is not None:
                stored = session.get_one(Token, row["id"])
                if token:
                    self._check_unique(session, token, stored.id)
                    stored.digest = security.token_digest(token)
                return _token(stored)
            user = session.get(User, row.get("user_id"))
            if user is None:
                raise InvalidError("User must exist")
            expires = row.get("expires_at")
            try:
                made, text = make_token(
                    user,
                    name=str(row.get("name") or ""),
                    scopes=list(row.get("scopes") or []),
                    expires_at=dt.date.fromisoformat(expires) if expires else None,
                    prefix=str(self._site.setting(session, "personal_access_token_prefix") or ""),
                    description=row.get("description"),
                    impersonation=bool(row.get("impersonation")),
                    value=token,
                )
            except TokenError as error:
                raise InvalidError(str(error)) from error
            if made.expires_at is not None and made.expires_at <= now().date():
                raise InvalidError("Expiration date can't be in the past")
            self._check_unique(session, text, None)
            session.add(made)
            session.flush()
            return {**_token(made), "token": text}

    def _check_unique(self, session: Session, token: str, own: int | None) -> None:
        digest = security.token_digest(token)
        if session.scalar(select(Token.id).where(Token.digest == digest)) not in {None, own}:
            raise NotUniqueError("duplicate key value violates unique constraint on token_digest")

    def revoke_token(self, id: int) -> Any:
        """Revoke it."""
        with self._database.write() as session:
            stored = session.get_one(Token, id)
            stored.revoked = True
            return _token(stored)


def run(site: Site, script: str) -> int:
    """Run a script (text, file name, or ``-`` for standard input); returns Ruby's exit code."""
    answers = Answers(site)
    operations: dict[str, Callable[..., Any]] = {
        "users": answers.users,
        "tokens": answers.tokens,
        "update_user": answers.update_user,
        "save_token": answers.save_token,
        "revoke_token": answers.revoke_token,
    }
    request_read, request_write = os.pipe()
    answer_read, answer_write = os.pipe()
    env = {
        **os.environ,
        "GITLAB_STANDIN_BRIDGE_OUT": str(request_write),
        "GITLAB_STANDIN_BRIDGE_IN": str(answer_read),
    }
    process = subprocess.Popen(
        ["ruby", str(SHIM), script], env=env, pass_fds=(request_write, answer_read)
    )
    os.close(request_write)
    os.close(answer_read)
    with os.fdopen(request_read) as requests, os.fdopen(answer_write, "w") as replies:
        for line in requests:
            question = json.loads(line)
            try:
                answer = {"value": operations[question["operation"]](**question["arguments"])}
            except InvalidError as error:
                answer = {"invalid": str(error)}
            except NotUniqueError as error:
                answer = {"taken": str(error)}
            replies.write(json.dumps(answer) + "\n")
            replies.flush()
    return process.wait()
