"""Events in the query of an image, for mails and pages without JavaScript. The answer is the image, whatever happens.

Segment's form is `data`, base64 of the event's JSON. The other form is flat:
`writeKey=..&anonymousId=..&properties.plan=..`.
"""

import base64
import binascii
from typing import Any

import orjson

from gateway.collect.answers import PIXEL
from gateway.collect.exchange import Exchange
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules

MAX_NAME_PARTS = 8
_INVALID = b"-"


def serve_pixel(ingest: Ingest, rules: Rules, exchange: Exchange) -> None:
    """Handles a GET of a pixel."""
    exchange.on_answer = lambda _: PIXEL
    ingest.take(rules, exchange, event_in_query(exchange))


def event_in_query(exchange: Exchange) -> bytes:
    """The JSON of the event that the query describes; a text that is no JSON where it describes none."""
    try:
        fields = exchange.parameters()
        data = fields.get("data")
        return orjson.dumps(_nest(fields)) if data is None else _decode(data)
    except (ValueError, binascii.Error, orjson.JSONEncodeError):
        return _INVALID


def _decode(data: str) -> bytes:
    """Both alphabets of base64, with or without padding; a `+` arrives as a space where nobody escaped it."""
    text = data.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _nest(fields: dict[str, str]) -> dict[str, Any]:
    """`properties.plan` becomes {"properties": {"plan": ..}}. Raises ValueError for a name that cannot be nested."""
    event: dict[str, Any] = {}
    for name, value in fields.items():
        *path, last = name.split(".", MAX_NAME_PARTS)
        holder = event
        for part in path:
            if not isinstance(holder.setdefault(part, {}), dict):
                raise ValueError(name)  # noqa: TRY004 - the client's value is at fault, not a caller's type
            holder = holder[part]
        holder[last] = value
    return event
