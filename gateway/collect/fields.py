"""The fields of a body that intake looks at. msgspec skips all others without building them, but checks their syntax.

What it does not check in skipped values: UTF-8, U+0000 escapes, the size of numbers. normalise.py looks after those.
"""

import msgspec
from msgspec import UNSET, Raw, UnsetType

Text = str | UnsetType | None


class Object(msgspec.Struct, gc=False):
    """Any JSON object. Declaring a field so makes the decoder refuse whatever else stands there."""


class Context(msgspec.Struct, gc=False):
    """`context`, of which only the shape matters."""

    traits: Object | None = None


class Event(msgspec.Struct, gc=False):
    """One event. UNSET and null differ: an absent field can be put in front, a null one has to be rewritten."""

    type: Text = UNSET
    messageId: Text = UNSET  # noqa: N815 - the name on the wire
    userId: Text = UNSET  # noqa: N815 - the name on the wire
    anonymousId: Text = UNSET  # noqa: N815 - the name on the wire
    groupId: Text = UNSET  # noqa: N815 - the name on the wire
    previousId: Text = UNSET  # noqa: N815 - the name on the wire
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


class Shared(msgspec.Struct, gc=False):
    """What a batch says for all of its events."""

    context: Raw | UnsetType = UNSET
    integrations: Raw | UnsetType = UNSET


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
decode_array = msgspec.json.Decoder(list[Raw]).decode
decode_shared = msgspec.json.Decoder(Shared).decode
decode_nested = msgspec.json.Decoder(Nested).decode
