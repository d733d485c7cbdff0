"""Values of each key of a course, a consumer and a registration, and whether they are right.

A row changes one entry that is right; `...` takes a key out. Every place that judges such an entry
has to come to the verdict of its row: see `sides.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

SECRET = "8c1f0e5b7a2d4936a1b2c3d4e5f60718"
EC_KEY = {
    "kty": "EC", "crv": "P-256", "kid": "one",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}  # fmt: skip
"""The public key of RFC 7515, appendix A.3."""
RSA_KEY = {"kty": "RSA", "kid": "two", "e": "AQAB", "n": "u" * 341 + "w"}

COURSE: dict[str, Any] = {
    "slug": "rr1",
    "title": {"fr": "Recherche reproductible", "en": "Reproducible research"},
    "repository": "https://git.univ.example/mooc/rr1.git",
}
CONSUMER: dict[str, Any] = {"key": "fun", "platform": "fun", "secret": SECRET}
REGISTRATION: dict[str, Any] = {
    "key": "lms-13",
    "platform": "lms",
    "issuer": "https://lms.univ.example",
    "client_ids": ["Ab3dE5"],
    "deployment_ids": ["1"],
    "auth_login_url": "https://lms.univ.example/auth",
    "auth_token_url": "https://lms.univ.example/token",
    "jwks_url": "https://lms.univ.example/keys",
}
GOOD = {"course": COURSE, "consumer": CONSUMER, "registration": REGISTRATION}
REQUIRED = {
    "course": ("slug", "title"),
    "consumer": ("key", "platform"),
    "registration": (
        "key", "platform", "issuer", "client_ids", "deployment_ids", "auth_login_url",
    ),
}  # fmt: skip
PRIVATE_HOST = "lms.campus.example"
"""Named in ``atelier_platform_private_hosts`` of the site for which the rows are judged."""

TEXTS = {
    "course": (
        "slug", "repository", "directory", "branch", "memory", "space", "start_file", "grade",
        "outputs", "state", "visibility",
    ),
    "consumer": ("key", "platform", "secret", "rotate", "grace", "state"),
    "registration": (
        "key", "platform", "issuer", "auth_login_url", "auth_token_url", "auth_audience",
        "jwks_url", "state",
    ),
}  # fmt: skip
NUMBERS = {
    "course": ("cpu", "pids", "max_file_mb", "inodes"),
    "consumer": (),
    "registration": (),
}
LISTS = {
    "course": ("consumers", "staff"),
    "consumer": ("courses", "hosts"),
    "registration": ("client_ids", "deployment_ids", "courses", "hosts"),
}
DICTIONARIES = {"course": ("title", "image", "expected"), "consumer": (), "registration": ("jwks",)}
FLAGS = {
    "course": (),
    "consumer": ("trust_email", "trust_roles"),
    "registration": ("trust_email", "trust_roles"),
}
NULLABLE = {
    "course": ("directory", "branch", "start_file", "consumers", "staff", "image", "expected"),
    "consumer": ("rotate", "grace", "courses", "hosts"),
    "registration": ("auth_token_url", "auth_audience", "jwks", "courses", "hosts"),
}
"""Keys for which null is the same as nothing: Ansible refuses it where there is a default."""


class Row(NamedTuple):
    """One entry, by what differs from one that is right."""

    kind: str
    changes: dict[str, Any]
    right: bool

    @property
    def entry(self) -> dict[str, Any]:
        """The whole entry."""
        changed = {**GOOD[self.kind], **self.changes}
        return {key: value for key, value in changed.items() if value is not ...}

    @property
    def name(self) -> str:
        """For reports of tests."""
        shown = ", ".join(
            f"{key}={'(out)' if value is ... else repr(value)}"
            for key, value in self.changes.items()
        )
        return f"{self.kind}: {shown or 'as it is'}"[:120]


def _generated() -> Iterator[Row]:
    """Values of a wrong kind for each key; nothing; keys that nothing reads."""
    for kind in GOOD:
        alternatives = {"directory": {"repository": ...}, "rotate": {"secret": ...}}
        for key in TEXTS[kind]:
            for wrong in (True, ["rr1"], {"a": 1}):
                yield Row(kind, {**alternatives.get(key, {}), key: wrong}, False)
        for key in NUMBERS[kind]:
            for wrong in (True, -1, 0, "many", "", [64], {"a": 1}):
                yield Row(kind, {key: wrong}, False)
        for key in LISTS[kind]:
            for wrong in ("rr1", 1, True, {"rr1": 1}, [["rr1"]], [None], [True], [{"a": 1}]):
                yield Row(kind, {key: wrong}, False)
        for key in DICTIONARIES[kind]:
            taken = {"jwks_url": ...} if key == "jwks" else {}
            for wrong in ("rr1", 1, True, ["rr1"], {"a": 1}):
                yield Row(kind, {**taken, key: wrong}, False)
        for key in FLAGS[kind]:
            for wrong in ("maybe", "", 2, [True], {"a": True}):
                yield Row(kind, {key: wrong}, False)
            for flag in (True, False, "yes", "no", "True", "off", 1, 0):
                yield Row(kind, {key: flag}, True)
        for key in REQUIRED[kind]:
            yield Row(kind, {key: None}, False)
            yield Row(kind, {key: ...}, False)
        for key in (*TEXTS[kind], *NUMBERS[kind], *LISTS[kind], *DICTIONARIES[kind], *FLAGS[kind]):
            if key not in (*REQUIRED[kind], "repository", "secret", "jwks_url"):
                yield Row(kind, {key: None}, key in NULLABLE[kind])
        for unknown in ("color", "slugs", "secrets", "Key"):
            yield Row(kind, {unknown: "x"}, False)


def _of(kind: str, name: str, right: bool, /, *values: Any, **beside: Any) -> Iterator[Row]:
    for value in values:
        yield Row(kind, {**beside, name: value}, right)


def _courses() -> Iterator[Row]:
    yield from _of("course", "slug", True, "rr1", "m-1", "ab", "a" * 40, "apis", "u2")
    yield from _of(
        "course", "slug", False, "r", "RR1", "rr-", "-rr", "1rr", "rr_1", "rr1\n", "rr 1", "a" * 41,
        "", "api", "users", "v2", "uabcdefghijklmnop", "démo",
    )  # fmt: skip
    yield from _of("course", "title", True, {"fr": "f", "en": "e"}, {"fr": "L’été", "en": "é\n"})
    yield from _of(
        "course", "title", False, {"fr": "f", "en": "e", "de": "d"}, {"fr": "f"}, {"en": "e"},
        {"fr": "", "en": "e"}, {"fr": "f", "en": None}, {"fr": 1, "en": "e"},
        {"fr": ["f"], "en": "e"}, {}, {"fr": "\ud800", "en": "e"},
    )  # fmt: skip
    yield from _of(
        "course", "repository", True, "git@git.univ.example:mooc/rr1.git", "/srv/git/rr1.git",
        "ssh://git@git.univ.example:2222/rr1.git", "file:///srv/git/rr1.git",
        "http://git.univ.example/rr1",
    )  # fmt: skip
    yield from _of(
        "course", "repository", False, ..., None, "", "rr1", "--upload-pack=x", "https://",
        "https://bot:glpat-x@git.univ.example/rr1.git", "https://glpat-x@git.univ.example/rr1.git",
        "https://git.univ.example/a b.git", "https://[::1", "ext::sh -c id", "rr1.git\n",
    )  # fmt: skip
    yield from _of("course", "directory", True, "example", "courses/rr1", repository=...)
    yield from _of("course", "directory", True, "example", repository="")
    yield from _of("course", "directory", False, "", None, repository=...)
    yield from _of("course", "directory", False, "example")
    yield from _of("course", "branch", True, "main", "2026/autumn", "v1.0", 2026, 2.5)
    yield from _of("course", "branch", False, "-x", "a b", "", "main\n", "a" * 201, "a:b")
    yield from _of("course", "image", True, {}, {"recipe": "auto"}, {"recipe": "none"})
    yield from _of(
        "course", "image", False, {"recipe": "binder"}, {"recipes": "auto"}, {"recipe": None}
    )
    yield from _of("course", "memory", True, "512M", "1.5G", "128M", 1073741824, "1073741824", "2T")
    yield from _of(
        "course", "memory", False, "1GB", "1 G", "G", "64M", 1, "0", "-1G", "1e9", "1g", "1G\n",
        "9" * 400, "",
    )  # fmt: skip
    yield from _of("course", "cpu", True, 1, 0.5, "0.5", "2", 2.0, 64)
    yield from _of(
        "course", "cpu", False, "two", "1e3", float("inf"), float("nan"), 0.001, 10**6, "1,5",
        "9" * 400,
    )  # fmt: skip
    yield from _of("course", "pids", True, 32, 256, "256")
    yield from _of("course", "pids", False, 3, 31, 256.5, "256.0", 10**8, "2 56", "9" * 400)
    yield from _of("course", "consumers", True, ["fun"], ["lms-13", "fun"], [])
    yield from _of("course", "consumers", False, ["a b"], [""], ["a:b"])
    yield from _of(
        "course", "start_file", True, "index.ipynb", "module1/a b.ipynb", "a.b/é.md", ".github/a",
        "...", "a/.git/b",
    )  # fmt: skip
    yield from _of(
        "course", "start_file", False, "./index.ipynb", "notes//a.md", ".git/config", ".git",
        "../secret", "a/../b", "/etc/passwd", "a/", "a\\b", "a\x00b", "a\nb", "a\x7fb", ".", "..",
        "a/.", "", "a\ud800",
    )  # fmt: skip
    yield from _of("course", "expected", True, {"directory": "example"})
    yield from _of(
        "course", "expected", True, {"repository": "git@git.univ.example:e.git", "branch": "x"}
    )
    yield from _of(
        "course", "expected", False, {}, "example", {"repository": "rr1"}, {"branch": "main"},
        {"directory": "example", "path": "x"}, {"directory": "d", "repository": "/srv/e.git"},
        {"directory": "d", "branch": "-x"}, {"directory": ["d"]},
        {"repository": "https://bot:x@git.univ.example/e.git"},
    )  # fmt: skip
    yield from _of("course", "grade", True, "best", "last")
    yield from _of("course", "grade", False, "mean", "Best", "", 1)
    yield from _of("course", "outputs", True, "keep", "strip")
    yield from _of("course", "outputs", False, "none", "", 0)
    yield from _of("course", "max_file_mb", True, 1, "25", 10**6)
    yield from _of("course", "max_file_mb", False, "10M", 1.5, 10**12)
    yield from _of("course", "space", True, "64M", "1G", "4T", 1073741824, "1073741824")
    yield from _of("course", "space", False, "1 G", 1, "99T", "63M", "1GB", "", "5T", "9" * 400)
    yield from _of("course", "inodes", True, 5000, "20000", 10**8)
    yield from _of("course", "inodes", False, 10, 4999, 10**8 + 1, "5e4", 65536.5)
    yield from _of("course", "visibility", True, "private", "internal", "public")
    yield from _of("course", "visibility", False, "secret", "", "Public")
    yield from _of("course", "state", True, "present", "absent")
    yield from _of("course", "state", True, "absent", repository=...)
    yield from _of("course", "state", False, "gone", "", "Absent")
    yield from _of("course", "state", False, "absent", title=...)
    yield from _of("course", "state", False, "absent", slug="RR1")
    yield from _of(
        "course", "staff", True, [], [{"username": "alice"}],
        [{"username": "alice", "access": "owner"}, {"username": "bob", "access": "reporter"}],
    )  # fmt: skip
    yield from _of(
        "course", "staff", False, ["alice"], [{"access": "owner"}], [{"username": ""}],
        [{"username": "alice", "access": "guest"}], [{"username": "alice", "role": "owner"}],
    )  # fmt: skip


def _launchers(kind: str) -> Iterator[Row]:
    """What consumers, registrations and invitations have in common."""
    yield from _of(kind, "key", True, "a+b", "fun.2027", 'q"uote', "x", "~a_b-c", "a" * 255, 12345)
    yield from _of(
        kind, "key", False, "a b", "a:b", "", "clé", "a\nb", "fun\n", "a" * 256, "a\tb", "a\x7f",
    )  # fmt: skip
    yield from _of(
        kind, "platform", True, "2027-lms", "lms.fun_mooc", "f", "a" * 63, "lms-", 2027,
    )  # fmt: skip
    yield from _of(
        kind, "platform", False, "FUN MOOC", "Fun", "-lms", ".lms", "_lms", "a" * 64, "", "lms\n",
        "é", "a+b",
    )  # fmt: skip
    yield from _of(kind, "courses", True, ["rr1"], [])
    yield from _of(kind, "courses", False, ["No Slug"], ["rr1\n"], [""], ["r"], ["a" * 41], "")
    yield from _of(
        kind, "hosts", True, [], ["lms.univ.example"], ["LMS.univ.example."], ["192.0.2.1"],
        ["2001:db8::1"], ["lms_1.univ.example"], ["localhost"],
    )  # fmt: skip
    yield from _of(
        kind, "hosts", False, ["https://lms.univ.example"], ["lms.univ.example:443"], ["a b"], [""],
        ["lms.univ.example/path"], ["a" * 64], ["é.example"], ["a..b"], "lms.univ.example",
    )  # fmt: skip
    yield from _of(kind, "state", True, "present", "absent")
    yield from _of(kind, "state", False, "gone", "", "Absent")
    yield Row(kind, {key: ... for key in GOOD[kind] if key != "key"} | {"state": "absent"}, True)
    yield Row(kind, {"key": "a b", "state": "absent"}, False)


def _consumers() -> Iterator[Row]:
    yield from _of(
        "consumer", "secret", True, "q" * 8 + SECRET, "!#$%&'()*+,-./;<=>?@[]^_`{|}~abcdef"
    )
    yield from _of(
        "consumer", "secret", False, "", "short", SECRET[:31], "with:colon" * 4, "with space " * 4,
        "é" + SECRET, SECRET + "\n", "a" * 40, "abab" * 10, "change-me" + "!" * 30, 123,
    )  # fmt: skip
    yield from _of("consumer", "secret", False, SECRET, key=SECRET)
    yield from _of(
        "consumer", "rotate", True, "2027-spring", 2027, "a", "x" * 64, "1.0+a:b_c",
        date(2027, 3, 1), secret=...,
    )  # fmt: skip
    yield from _of(
        "consumer", "rotate", False, "two words", "", "a\nb", "spring\n", "x" * 65, "é", secret=...
    )
    yield from _of("consumer", "rotate", False, "2027-spring")
    yield from _of("consumer", "rotate", False, "2027-spring", secret="")
    yield from _of("consumer", "grace", True, "0", 0, "90m", "36h", "14d", "2w", "90d", "12w")
    yield from _of(
        "consumer", "grace", False, "14", "-1d", "91d", "13w", "999999w", "a while", "1y", "1d\n",
        "01d", "1.5d", 14, "",
    )  # fmt: skip
    yield Row("consumer", {"state": "absent", "secret": "short", "platform": "FUN"}, True)


def _registrations() -> Iterator[Row]:
    yield from _of("registration", "issuer", True, "lms", "https://lms.univ.example/", "i" * 255)
    yield from _of("registration", "issuer", False, "", "i" * 256, 5, "a\ud800")
    for key in ("client_ids", "deployment_ids"):
        yield from _of("registration", key, True, ["1"], ["a", "b"], ["a:b/c"], ["c" * 255])
        yield from _of(
            "registration", key, False, [], [""], [1], ["a b"], ["é"], ["a\n"], ["c" * 256], [1.5]
        )
    yield from _of("registration", "client_ids", False, ["a", "a"])
    for key in ("auth_login_url", "auth_token_url", "jwks_url"):
        yield from _of(
            "registration", key, True, "https://lms.univ.example", "https://lms.univ.example:8443/a/",
            "https://lms.univ.example/a?b=c", f"http://{PRIVATE_HOST}/a", "https://[2001:db8::1]/a",
            "https://10.0.0.1/a", "https://lms.univ.example/" + "a" * 900,
        )  # fmt: skip
        yield from _of(
            "registration", key, False, "lms.univ.example", "http://lms.univ.example/a",
            "https://[::1", "https://bot@lms.univ.example/", "https://lms.univ.example/#a",
            "https://lms.univ.example/a b", "https://lms.univ.example/a\\b", "https:///a",
            "https://lms.univ.example/\n", "ftp://lms.univ.example/", "file:///etc/passwd",
            "https://lms.univ.example/\ud800", "https://lms.univ.example/" + "a" * 1024, 5,
        )  # fmt: skip
    yield from _of("registration", "auth_login_url", False, "")
    yield from _of("registration", "auth_token_url", True, "", None, ...)
    yield from _of("registration", "auth_audience", True, "urn:lms", "https://lms.univ.example", "")
    yield from _of("registration", "auth_audience", False, 5, "a\ud800", "a" * 1025)
    yield from _of("registration", "jwks_url", False, ..., None, "")
    good = {"keys": [EC_KEY]}
    yield from _of("registration", "jwks", True, good, {"keys": [RSA_KEY]}, jwks_url=...)
    yield from _of("registration", "jwks", True, good, jwks_url="")
    yield from _of("registration", "jwks", True, {"keys": [EC_KEY, {"kty": "?"}]}, jwks_url=...)
    yield from _of("registration", "jwks", True, {})
    yield from _of("registration", "jwks", False, good, {"keys": []})
    yield from _of(
        "registration", "jwks", False, {}, {"keys": []}, {"keys": {}}, {"keys": ["a"]},
        {"keys": [{"kty": "oct", "k": "AAAA", "kid": "a"}]}, {"keys": [{**EC_KEY, "d": "AAAA"}]},
        {"keys": [{**EC_KEY, "kid": ""}]}, {"keys": [{**EC_KEY, "x": EC_KEY["y"]}]},
        {"keys": [{**EC_KEY, "x": "AAAA"}]}, {"keys": [{"kty": "RSA", "kid": "a", "n": "AAAA"}]},
        {"keys": [{**RSA_KEY, "e": "AA"}]}, {"keys": [{**RSA_KEY, "e": 65537}]},
        {"keys": [{k: v for k, v in RSA_KEY.items() if k != "kid"}]},
        {"keys": [{**RSA_KEY, "n": "uuuw"}]}, {"keys": [{**EC_KEY, "alg": "RS256"}]},
        {"keys": [{**EC_KEY, "use": "enc"}]},
        jwks_url=...,
    )  # fmt: skip


def rows() -> list[Row]:
    """All of them."""
    return [
        *(Row(kind, {}, True) for kind in GOOD),
        *_generated(),
        *_courses(),
        *_launchers("consumer"),
        *_consumers(),
        *_launchers("registration"),
        *_registrations(),
    ]
