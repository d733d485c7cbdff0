"""What nobody signed: fields of a token's header, claims, sealed values and forms of any kind."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from atelier.lti import launch13 as lti13
from atelier.lti.diagnosis13 import causes, shown, unverified
from atelier.lti.keysets13 import usable
from atelier.lti.launch11 import LaunchError, read_form, single
from atelier.lti.sealed import Sealer, SealError
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.atelier.click13 import SEALER, Click, Web, key, refusal

FIELDS = [
    "alg", "kid", "typ", "cty", "crit", "b64", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256",
    "zip", "enc", "exp", "https://example.org/own",
]  # fmt: skip
SIMPLE: list[Any] = [None, True, 0, -1, 1.5, "", "x", "RS256", [], ["RS256"], {}, {"a": ["b"]}]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
KEY_FIELDS = ("kty", "kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y", "k")
CLICK = Click()
CLAIMS = CLICK.claims()
WEB = Web()


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def token(header: Any, claims: Any = CLAIMS, signature: bytes = b"x" * 256) -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(map(encoded, parts))


def outcome(text: str) -> int:
    """Status of a token's refusal; 200 when it is accepted."""
    try:
        CLICK.arrive(text, web=WEB)
    except LaunchError as refused:
        return refused.status
    return 200


@pytest.mark.parametrize("value", SIMPLE, ids=repr)
@pytest.mark.parametrize("name", FIELDS)
def test_no_field_of_a_header_is_a_crash(name: str, value: Any) -> None:
    forged = token({"alg": "RS256", "kid": "key-1", "typ": "JWT", name: value})
    assert 400 <= outcome(forged) < 500
    state = lti13.returned(CLICK.query["state"], SEALER, CLICK.now)
    registration = CLICK.known.registrations[0]
    assert causes(forged, state, registration, WEB.keysets, CLICK.now, 300)
    shown(*unverified(forged))


@pytest.mark.long
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4), JSON)
@settings(max_examples=300, deadline=None)
def test_no_header_and_no_claims_are_a_crash(header: dict[str, Any], claims: Any) -> None:
    assert 400 <= outcome(token(header, claims)) < 500
    assert 400 <= outcome(token({"alg": "RS256", "kid": "key-1", **header}, claims)) < 500


@pytest.mark.parametrize("name", ["crit", "b64", "jku", "jwk", "x5u", "x5c"])
def test_a_signed_header_of_any_kind_is_no_crash_either(name: str) -> None:
    """A platform may sign what it likes; a critical extension is refused (RFC 7515, 4.1.11)."""
    for value in SIMPLE:
        head = {"alg": "RS256", "typ": "JWT", "kid": "key-1", name: value}
        signed = ".".join(
            [encoded(json.dumps(head).encode()), encoded(json.dumps(CLAIMS).encode())]
        )
        signature = jwt.get_algorithm_by_name("RS256").sign(signed.encode(), key("first"))
        status = outcome(f"{signed}.{encoded(signature)}")
        assert status < 500
        if name == "crit":
            assert status != 200, "what must be understood is not understood here"


@pytest.mark.parametrize("head", ["[]", "3", "null", '"x"', "[" * 5000, '{"alg": ' + "[" * 5000])
def test_a_header_that_is_no_object_is_refused(head: str) -> None:
    text = ".".join([encoded(head.encode()), encoded(b"{}"), encoded(b"x")])
    assert refusal(CLICK, text).status < 500
    assert unverified(text) == ({}, {})


@pytest.mark.parametrize("part", ["[]", "3", "null", "[" * 5000, "\udcff", "{", '{"until": "x"}'])
def test_a_sealed_value_of_any_kind_is_refused(part: str) -> None:
    sealer = Sealer(b"k" * 32)
    raw = part.encode("utf-8", "surrogateescape")
    good = encoded(b'{"alg":"HS256"}')
    for head, body in ((encoded(raw), encoded(b"{}")), (good, encoded(raw))):
        with pytest.raises(SealError):
            sealer.open("login", f"{head}.{body}.{encoded(b'x')}", 0)


@pytest.mark.parametrize("value", SIMPLE, ids=repr)
@pytest.mark.parametrize("name", FIELDS)
def test_no_field_of_a_sealed_value_is_a_crash(name: str, value: Any) -> None:
    sealer = Sealer(b"k" * 32)
    with pytest.raises(SealError):
        sealer.open("login", token({"alg": "HS256", name: value}, {}), 0)


@pytest.mark.long
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(KEY_FIELDS, JSON)) | JSON)
@settings(max_examples=300, deadline=None)
def test_no_key_of_a_platform_is_a_crash(one: Any) -> None:
    for kind in ({}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256"}):
        usable({"keys": [{**kind, **one} if isinstance(one, dict) else one]})
    usable({"keys": one})


@pytest.mark.parametrize(
    "body",
    [b"state=a&state=b", b"id_token=a&id_token=b", b"iss=a&iss=", b"user_id=1&user_id=1"],
)
def test_a_field_that_is_there_twice_is_refused(body: bytes) -> None:
    with pytest.raises(LaunchError) as refused:
        single(read_form(body))
    assert refused.value.status == 400
