"""What a link takes along to another site of the same owner: an id, the time, and a signature over both. Pure.

It holds for two minutes, so that an address that is copied and shared makes nobody else the visitor.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

VALID_S = 120
CLOCK_SKEW_S = 5
"""Between the gateways of two sites."""
_TOKEN = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9]{1,12})\.([A-Za-z0-9_-]{22})")
_SIGNATURE_BYTES = 16


def sign_link(anonymous_id: str, now_s: int, secret: str) -> str:
    """The parameter's value, for a storable id (cookies.is_storable)."""
    return f"{anonymous_id}.{now_s}.{_signature(anonymous_id, now_s, secret)}"


def verify_link(token: str, now_s: int, secret: str) -> str | None:
    """The id in a parameter that we, or another gateway with the same secret, signed just now; None for any other."""
    match = _TOKEN.fullmatch(token)
    if match is None or not secret:
        return None
    anonymous_id, signed_s, signature = match[1], int(match[2]), match[3]
    is_genuine = hmac.compare_digest(signature, _signature(anonymous_id, signed_s, secret))
    return anonymous_id if is_genuine and -CLOCK_SKEW_S <= now_s - signed_s <= VALID_S else None


def _signature(anonymous_id: str, signed_s: int, secret: str) -> str:
    digest = hmac.new(secret.encode(), f"link:{anonymous_id}:{signed_s}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode().rstrip("=")
