"""Passwords, tokens and random values."""

import hashlib
import hmac
import secrets

# Low cost on purpose: this is a demo server, and a test may create hundreds of accounts.
_SCRYPT = {"n": 2**12, "r": 8, "p": 1}


def hash_password(password: str) -> str:
    """A salted scrypt hash, as text."""
    salt = secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
    return f"scrypt${salt.hex()}${digest.hex()}"


def check_password(password: str, stored: str | None) -> bool:
    """Whether the password is the one hashed; False when there is none."""
    if not stored:
        return False
    _, salt, digest = stored.split("$")
    actual = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **_SCRYPT)
    return hmac.compare_digest(actual.hex(), digest)


def token_digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token(prefix: str = "glpat-") -> str:
    """A token of GitLab's classic form: prefix and 20 characters."""
    return prefix + secrets.token_urlsafe(15)


def random_id() -> str:
    """An unguessable identifier, for sessions and CSRF tokens."""
    return secrets.token_urlsafe(32)
