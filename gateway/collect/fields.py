"""The fields of a body that intake looks at. msgspec skips all others without building them, but checks their syntax.

The types are the rules of a clean event, checked by the decoder at no cost. What does not fit them is not yet
refused: it is read again, and judged, by rewrite.py.

What the decoder does not check in skipped values: UTF-8, U+0000 escapes, the size of numbers. normalise.py looks after
those.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from gateway.collect.refusals import MAX_ID_CHARACTERS, MAX_MESSAGE_ID_CHARACTERS

Kind = Literal["track", "page", "screen", "identify", "group", "alias"]
MessageId = Annotated[str, Meta(min_length=1, max_length=MAX_MESSAGE_ID_CHARACTERS)]
Id = Annotated[str, Meta(max_length=MAX_ID_CHARACTERS)]


class Object(msgspec.Struct, gc=False):
    """Any JSON object. Declaring a field so makes the decoder refuse whatever else stands there."""


class Context(msgspec.Struct, gc=False):
    """`context`, of which only the shape matters."""

    traits: Object | None = None


class Event(msgspec.Struct, gc=False):
    """One clean event. UNSET is told from null: an absent field cannot be there twice, and can be put in front."""

    type: Kind | UnsetType = UNSET
    messageId: MessageId | UnsetType = UNSET  # noqa: N815 - the name on the wire
    userId: Id | UnsetType | None = UNSET  # noqa: N815 - the name on the wire
    anonymousId: Id | UnsetType | None = UNSET  # noqa: N815 - the name on the wire
    groupId: Id | UnsetType | None = UNSET  # noqa: N815 - the name on the wire
    previousId: Id | UnsetType | None = UNSET  # noqa: N815 - the name on the wire
    event: str | None = None
    writeKey: str | None = None  # noqa: N815 - the name on the wire
    context: Context | UnsetType | None = UNSET
    properties: Object | None = None
    traits: Object | None = None
    integrations: Object | UnsetType | None = UNSET


class Body(Event, gc=False):
    """A whole body: an event, or a batch of them when `batch` is there."""

    batch: list[Raw] | UnsetType = UNSET
    sentAt: str | int | float | None = None  # noqa: N815 - the name on the wire


class EventBatch(msgspec.Struct, gc=False):
    """A batch whose events are all clean."""

    batch: list[Event]


class Shared(msgspec.Struct, gc=False):
    """What a batch says for all of its events."""

    context: Raw | UnsetType = UNSET
    integrations: Raw | UnsetType = UNSET


class Frame(msgspec.Struct, gc=False):
    """What the browser script says beside its events: who it takes the visitor for, and what it wants."""

    anonymousId: str = ""  # noqa: N815 - the name on the wire
    identity: str = ""
    """`rotate`: the cookie must follow. `cookieless`: there must be none. `erase`: it must go. Else the cookie wins."""
    was: str = ""
    """The id that the page had before it was told of another. Events that it made meanwhile are under it."""
    link: str = ""
    """What another site of the owner signed, as it came in the page's address."""
    wants: str = ""
    """`link`: the same, for a link to such a site."""


class Consent(msgspec.Struct, gc=False):
    """`context.consent`."""

    categoryPreferences: dict[str, Raw] | None = None  # noqa: N815 - the name on the wire


class ConsentContext(msgspec.Struct, gc=False):
    """`context`, of which only consent matters."""

    consent: Consent | None = None


class ConsentingEvent(msgspec.Struct, gc=False):
    """An event, of which only consent matters."""

    context: ConsentContext | None = None


class Named(msgspec.Struct, gc=False):
    """An event, of which only matters whose it is."""

    userId: str | None = None  # noqa: N815 - the name on the wire
    previousId: str | None = None  # noqa: N815 - the name on the wire
    anonymousId: str | None = None  # noqa: N815 - the name on the wire


class Nested(msgspec.Struct, gc=False):
    """The containers of an event as the bytes they are, to tell the keys in them from the event's own."""

    context: Raw = Raw(b"")
    properties: Raw = Raw(b"")
    traits: Raw = Raw(b"")
    integrations: Raw = Raw(b"")


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoders raise for a body that they do not read: wrong shape, wrong syntax, invalid UTF-8, too deep."""

decode_event = msgspec.json.Decoder(Event).decode
decode_body = msgspec.json.Decoder(Body).decode
decode_event_batch = msgspec.json.Decoder(EventBatch).decode
decode_event_array = msgspec.json.Decoder(list[Event]).decode
decode_array = msgspec.json.Decoder(list[Raw]).decode
decode_shared = msgspec.json.Decoder(Shared).decode
decode_nested = msgspec.json.Decoder(Nested).decode
decode_frame = msgspec.json.Decoder(Frame).decode
decode_named = msgspec.json.Decoder(Named).decode
decode_consent = msgspec.json.Decoder(ConsentingEvent).decode
