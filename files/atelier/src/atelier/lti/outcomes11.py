"""LTI 1.1 Basic Outcomes: a score as signed XML (LTI 1.1.1 Implementation Guide, section 6).

The body is covered by the OAuth signature through its hash (OAuth Request Body Hash 1.0).
"""

from __future__ import annotations

import re
import uuid
from xml.sax.saxutils import escape

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, Client  # type: ignore[import-untyped]

NAMESPACE = "http://www.imsglobal.org/services/ltiv1p1/xsd/imsoms_v1p0"
CONTENT_TYPE = "application/xml"
_MAJOR = re.compile(rb"<(?:\w+:)?imsx_codeMajor>\s*(\w+)\s*</")
_CODES = ("processing", "failure", "unsupported")
"""What ``imsx_codeMajor`` may be besides success (section 6.1.1 of the guide, its XML schema)."""
_DESCRIPTION = re.compile(rb"<(?:\w+:)?imsx_description>([^<]{0,300})")


def replace_result(sourcedid: str, score: float) -> bytes:
    """The request that gives a result its score.

    Args:
        sourcedid: the platform's name for the result.
        score: 0..1.
    """
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<imsx_POXEnvelopeRequest xmlns="{NAMESPACE}"><imsx_POXHeader>'
        "<imsx_POXRequestHeaderInfo><imsx_version>V1.0</imsx_version>"
        f"<imsx_messageIdentifier>{uuid.uuid4().hex}</imsx_messageIdentifier>"
        "</imsx_POXRequestHeaderInfo></imsx_POXHeader>"
        "<imsx_POXBody><replaceResultRequest><resultRecord>"
        f"<sourcedGUID><sourcedId>{escape(sourcedid)}</sourcedId></sourcedGUID>"
        f"<result><resultScore><language>en</language><textString>{score:.4f}</textString>"
        "</resultScore></result></resultRecord></replaceResultRequest></imsx_POXBody>"
        "</imsx_POXEnvelopeRequest>"
    ).encode()


def signed_headers(url: str, body: bytes, key: str, secret: str) -> dict[str, str]:
    """Headers that sign a request and its body.

    Args:
        url: the outcome service.
        body: the XML.
        key: the consumer's key.
        secret: the consumer's secret.
    """
    client = Client(key, client_secret=secret, signature_method=SIGNATURE_HMAC_SHA1)
    # oauthlib adds oauth_body_hash for a body that is not a form.
    _url, headers, _body = client.sign(
        url, "POST", body=body.decode(), headers={"Content-Type": CONTENT_TYPE}
    )
    return {str(name): str(value) for name, value in headers.items()}


def refusal(answer: bytes) -> str | None:
    """Why a platform did not accept a score, in this site's words; None: it did.

    Args:
        answer: the body of its answer.
    """
    major = _MAJOR.search(answer)
    code = major[1].decode("ascii", "replace").lower() if major is not None else ""
    if code == "success":
        return None
    if code in _CODES:
        return f"the platform answers {code}"
    return "the platform's answer is none of LTI 1.1's Basic Outcomes"


def description(answer: bytes) -> str:
    """The platform's description of its refusal: untrusted text, for the log only."""
    said = _DESCRIPTION.search(answer)
    return said[1].decode("utf-8", "replace").strip() if said is not None else ""
