"""What Meta is told of a person: `user_data`, in which everything that names somebody is hashed.

Source: Meta's Conversions API, "Customer information parameters" (normalisation, what is hashed and what must not be),
"ClickID and the fbp and fbc parameters", and "Best practices", section "Baseline requirements for matching".
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.destinations import people
from gateway.destinations.fields import (
    advertising_id,
    click_id,
    cookie,
    find,
    milliseconds,
    present,
    text,
    timestamp_ms,
)
from gateway.model.event import Event

_COOKIE = re.compile(r"fb\.\d\.\d+\.\S+")
"""What `_fbp` and `_fbc` hold: the version, a digit for the domain, milliseconds, and the id."""

_TOO_BROAD = (
    frozenset({"ct", "country", "st", "zp", "ge", "client_user_agent"}),
    frozenset({"db", "client_user_agent"}),
    frozenset({"fn", "ge"}),
    frozenset({"ln", "ge"}),
)
"""Meta refuses an event that says no more of its person than one of these."""


def user_data(event: Event, said: Mapping[str, Any], phone_country: str) -> dict[str, Any]:
    """What is known; empty where Meta could tell nobody by it. `said` is what the sender says to Meta alone."""
    hashes = people.hashes(event, phone_country) | present(
        external_id=people.sha256(text(event, "userId", "anonymousId"))
    )
    known: dict[str, Any] = {key: [value] for key, value in hashes.items()}
    known |= present(
        client_ip_address=text(event, "context.ip"),
        client_user_agent=text(event, "context.userAgent"),
        fbp=_cookie(text(said, "fbp") or text(event, "context.fbp") or cookie(event, "_fbp")),
        fbc=_cookie(text(said, "fbc") or text(event, "context.fbc") or cookie(event, "_fbc")) or _click(event),
        madid=advertising_id(event),
    )
    return {} if any(known.keys() <= combination for combination in _TOO_BROAD) else known


def _cookie(value: str | None) -> str | None:
    return value if value and _COOKIE.fullmatch(value) else None


def _click(event: Event) -> str | None:
    """What the cookie `_fbc` would hold: the click's id, whose case matters, and when it was first seen."""
    fbclid = click_id(event, "fbclid")
    if fbclid is None:
        return None
    remembered = text(event, "context.attribution.last.clickIds.fbclid") == fbclid
    seen_ms = timestamp_ms(find(event, "context.attribution.last.at")) if remembered else None
    return _cookie(f"fb.1.{seen_ms or milliseconds(event)}.{fbclid}")
