"""Snowplow's fields, read one by one. Whatever is read is taken out: what is left can be kept as it was sent.

All values are texts on the wire. Self-describing JSON, `{"schema": .., "data": ..}`, is plain (`co`, `ue_pr`) or in
base64 of the URL's alphabet, with or without padding (`cx`, `ue_px`). What cannot be read stays in its place.

Source: docs.snowplow.io/docs/fundamentals/canonical-event, the tracker protocol.
"""

import base64
import re
from datetime import datetime
from typing import Any

from gateway.collect.dialects.values import Fields, number_of, object_of, text_of
from gateway.collect.lenient import RefusedError, clean_text, load
from gateway.model.event import from_epoch_ms

_SIZE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})")
_SCHEMA = re.compile(r"iglu:[^/]+/([^/]+)/[^/]+/[^/]+")
_IN_BASE64 = frozenset({"cx", "ue_px"})
_MAX_MS_DIGITS = 14  # year 5138; more would not fit into a datetime


def moment_of(value: Any) -> datetime | None:
    """Milliseconds since the epoch as a time; None where they are not."""
    text = text_of(value)
    is_readable = text.isascii() and text.isdigit() and len(text) <= _MAX_MS_DIGITS
    return from_epoch_ms(int(text)) if is_readable else None


def take(fields: Fields, name: str) -> str:
    """A field's text; empty where it has none."""
    text = text_of(fields.get(name))
    if text:
        del fields[name]
    return text


def take_moment(fields: Fields, name: str) -> datetime | None:
    """The time that a field says."""
    moment = moment_of(fields.get(name))
    if moment is not None:
        del fields[name]
    return moment


def take_size(fields: Fields, name: str) -> Fields:
    """`1280x720` as width and height; empty where there is none."""
    size = _SIZE.fullmatch(text_of(fields.get(name)))
    if size is None:
        return {}
    del fields[name]
    return {"width": int(size[1]), "height": int(size[2])}


def take_renamed(fields: Fields, names: dict[str, str], numbers: frozenset[str]) -> Fields:
    """The fields in `names`, which says what each is called; those among `numbers` become numbers."""
    taken = [(new, fields.pop(old)) for old, new in names.items() if old in fields]
    return {name: number_of(text_of(value)) or value if name in numbers else value for name, value in taken}


def take_data(fields: Fields, name: str, kind: type) -> Any:
    """The `data` of the self-describing JSON in a field, where it is of `kind`; an empty one elsewhere."""
    text = text_of(fields.get(name))
    try:
        document, _ = load(_from_base64(text) if name in _IN_BASE64 else clean_text(text).encode())
    except (ValueError, RefusedError):
        return kind()
    data = object_of(document).get("data")
    if not isinstance(data, kind):
        return kind()
    del fields[name]
    return data


def schema_name(schema: Any) -> str:
    """`order` of `iglu:com.example/order/jsonschema/1-0-0`; empty where it is no such schema."""
    match = _SCHEMA.fullmatch(text_of(schema))
    return match[1] if match else ""


def entity(contexts: list[Any], name: str) -> Fields:
    """The data of Snowplow's own entity of that name among the contexts; empty where there is none."""
    prefix = f"iglu:com.snowplowanalytics.snowplow/{name}/"
    for each in contexts:
        if text_of(object_of(each).get("schema")).startswith(prefix):
            return object_of(each.get("data"))
    return {}


def _from_base64(text: str) -> bytes:
    """Both alphabets; a `+` arrives as a space where nobody escaped it. Raises ValueError."""
    text = text.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
