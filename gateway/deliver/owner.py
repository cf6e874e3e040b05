"""The one place where an event that came without a user is given one. Pure.

The user is written into the event's own JSON, so that all that follows (mapping, lanes, letters and their retries) sees
an event with a user and needs to know nothing else. The log keeps what the client sent.
"""

import orjson

from gateway.model.envelope import Stored


def given_to(stored: Stored, user_id: str) -> Stored:
    """The event with `userId`, from bytes that decode to an object with at least one key.

    Of a key that comes twice readers take the last, so a `userId` of null or "" is no obstacle; nothing else of the
    client's text changes, digits beyond a double's included.
    """
    raw = stored.raw.rstrip()[:-1] + b',"userId":' + orjson.dumps(user_id) + b"}"
    return stored._replace(raw=raw)
