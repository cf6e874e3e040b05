"""What an event must have to be taken, and the terms on which a request's events are judged."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.collect import refusals
from gateway.collect.fields import Event
from gateway.collect.refusals import Refusal

Settled = tuple[str, bytes, bool]
"""An event that passed: (messageId, its JSON as it is stored, whether its JSON had to be repaired). A plain tuple,
because one is made for every event."""


class Rules(NamedTuple):
    """The terms of one request."""

    path_type: str
    """The type that the path names, for events that do not say; empty where it names none."""
    max_event_bytes: int
    max_body_bytes: int
    """For all events together, with what their batch gives to each."""
    new_id: Callable[[], str]
    """Makes the messageId of an event that has none."""
    context: bytes = b""
    """JSON of the batch's own `context`, to be given to each event; empty where there is none."""
    integrations: bytes = b""
    """The same for `integrations`."""
    suspect: bool = True
    """Whether the bytes of each event have to be looked at; False once those of the whole body have been."""


def judge(event: Event, kind: str) -> Refusal | None:
    """Why a clean event of type `kind` is refused, or None. An empty `kind` is one that nobody gave."""
    if not event.userId and not event.anonymousId:
        return refusals.MISSING_USER if kind else refusals.INVALID_TYPE
    if kind == "track":
        return None if event.event else refusals.MISSING_EVENT_NAME
    if kind == "group":
        return None if event.groupId else refusals.MISSING_GROUP_ID
    if kind == "alias":
        return None if event.userId and event.previousId else refusals.MISSING_ALIAS_IDS
    return None if kind else refusals.INVALID_TYPE
