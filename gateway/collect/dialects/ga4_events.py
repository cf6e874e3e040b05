"""What both forms of GA4's events have in common. The tables are in docs/sdks.md.

GA4 knows an event by its name alone. Two become Segment's own types, page_view and screen_view; all others are tracks
under the name that GA4 has for them, with their parameters as they are.

No event has an id. One that says when it was (the Measurement Protocol's `timestamp_micros`) or which it was on its
page (gtag's `_s`) gets the hash of all that it says, so that the same request sent again is not stored again. Where
nothing tells an event from its like, two clicks would be taken for one: such an event gets an id of its own.
"""

import re
from hashlib import blake2b
from typing import Any

from gateway.collect.dialects.pages import campaign_of
from gateway.collect.dialects.values import Fields, said, storable, text_of
from gateway.collect.lenient import clean, dump

MAX_EVENTS = 100
"""In one request; Google takes 25. What the request says for all of them is given to each."""
_SIZE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})")


def event_of(name: Any, params: Fields, page: Fields, context: Fields) -> Fields:
    """Type, name, properties and context."""
    context = {**context, "page": page, "campaign": context.get("campaign") or campaign_of(page)}
    event: Fields = {"context": said(context), "properties": params}
    if name == "page_view":
        return {**event, "type": "page", "properties": {**page, **params}}
    if name == "screen_view":
        return {**event, "type": "screen", "name": params.get("screen_name") or params.get("firebase_screen")}
    return {**event, "type": "track", "event": name}


def finished(event: Fields, fingerprint: Any) -> Fields:
    """The event, fit to be stored, with an id made of `fingerprint`; without one where that is None."""
    kept = storable(said(event))
    if fingerprint is None:
        return kept
    unique = dump(clean([fingerprint, kept])[0])
    return {"messageId": "ga4-" + blake2b(unique, digest_size=16).hexdigest(), **kept}


def screen_of(size: Any) -> Fields:
    """`1280x720` as width and height; empty where it is no size."""
    sides = _SIZE.fullmatch(text_of(size))
    return {"width": int(sides[1]), "height": int(sides[2])} if sides else {}
