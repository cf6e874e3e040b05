"""Addresses with placeholders: the owner says the host, an event fills in parts of the path and the query. Pure."""

import re
from typing import Any
from urllib.parse import quote

from gateway.destinations.template import Template, compiled
from gateway.destinations.template_expression import MISSING, Encoded, pieces, written
from gateway.model.event import Event

_WHOLE = re.compile(r"https?://[^/\s?#]+(?:[/?][^\s#]*)?")
_BEFORE_PLACEHOLDERS = re.compile(r"https?://[^/\s?#]+[/?][^\s#]*")


def address(source: Any) -> Template:
    """The address. Raises ValueError where an event could choose the host, or the path is not what it seems."""
    if not isinstance(source, str):
        raise ValueError("write an address in quotes")  # noqa: TRY004 - pydantic turns ValueError alone into a fault
    template = compiled(source, _encoded)
    before, *after = pieces(source)[0]
    form = _BEFORE_PLACEHOLDERS if after else _WHOLE
    if not form.fullmatch(before) or any(re.search(r"[\s#]", piece) for piece in after) or _climbs(source):
        raise ValueError(
            'write an address, like "https://api.example/users/{{ userId }}"; placeholders may stand after the host'
        )
    return template


def filled(template: Template, event: Event) -> str | None:
    """The address for an event; None where a placeholder brings nothing, or a step out of the owner's path."""
    found = template.render(event)
    return None if found is MISSING or _climbs(found) else str(found)


def _encoded(value: Any, _key: str) -> Any:
    text = "" if value is MISSING else written(value)
    if not text:
        return MISSING
    return text if isinstance(text, Encoded) else quote(text, safe="", errors="replace")


def _climbs(text: str) -> bool:
    """Whether a part of the path is . or .., which clients resolve before they send."""
    return not {".", ".."}.isdisjoint(text.partition("?")[0].split("/"))
