"""pydantic's errors in the words of the file: the dotted path of the key, and what to write instead."""

from collections.abc import Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from gateway.config.settings import DestinationSettings, Settings

Fault = tuple[str, str]
"""(dotted path of the key, what is wrong with it and what to do)"""

_DICTIONARY = "write a table, like [section] or { key = value }"
_LIST = 'write a list, like ["a", "b"]'
_NAME = "a name has lower-case letters, digits, - and _, starts with a letter, and has at most 63 characters"
_WORDS = {
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "dict_type": _DICTIONARY,
    "finite_number": "write a number that ends",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "int_from_float": "write a whole number",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "ip_any_network": 'write an address or a network, like "127.0.0.1" or "10.0.0.0/8"',
    "missing": "this key is required",
    "model_attributes_type": _DICTIONARY,
    "model_type": _DICTIONARY,
    "path_type": "write a path in quotes",
    "string_type": "write a text in quotes",
    "tuple_type": _LIST,
}


def describe(detail: dict[str, Any], kinds: Sequence[type[DestinationSettings]]) -> Fault:
    """One of pydantic's errors as a fault. The value itself, which may be a secret, is never part of it."""
    location = [str(part) for part in detail["loc"]]
    kind = _take_kind(location, kinds)
    if location and location[-1] == "[key]":
        return ".".join(location[:-1]), _NAME
    if detail["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        types = ", ".join(f'"{name}"' for name in sorted(_types(kinds)))
        return ".".join([*location, "type"]), f"write one of {types}"
    if detail["type"] == "extra_forbidden":
        return ".".join(location), _unknown(location, kind)
    message = str(detail["msg"]).removeprefix("Value error, ")
    return ".".join(location), _WORDS.get(detail["type"], message)


def _types(kinds: Sequence[type[DestinationSettings]]) -> dict[str, type[DestinationSettings]]:
    return {name: kind for kind in kinds for name in get_args(kind.model_fields["type"].annotation)}


def _take_kind(location: list[str], kinds: Sequence[type[DestinationSettings]]) -> type[DestinationSettings]:
    """The kind of the destination that `location` is in. pydantic puts its type after the name; it is taken out."""
    if location[:1] != ["destinations"]:
        return DestinationSettings
    if len(kinds) == 1:
        return kinds[0]
    kind = _types(kinds).get(location[2]) if len(location) > 2 else None  # noqa: PLR2004 - destinations.NAME.<type>
    if kind is None:
        return DestinationSettings
    del location[2]
    return kind


def _unknown(location: Sequence[str], kind: type[DestinationSettings]) -> str:
    close = get_close_matches(location[-1], _keys_beside(location, kind), n=1)
    return f'unknown key; did you mean "{close[0]}"?' if close else "unknown key; see docs/configuration.md"


def _keys_beside(location: Sequence[str], kind: type[DestinationSettings]) -> list[str]:
    """The keys that exist in the table of the key at `location`."""
    inside: Sequence[str] = location[:-1]
    model: type[BaseModel] = Settings
    if inside[:1] == ["destinations"]:
        inside, model = inside[2:], kind
    for part in inside:
        model = section_of(model.model_fields[part].annotation) if part in model.model_fields else model
    return list(model.model_fields)


def section_of(annotation: Any) -> type[BaseModel]:
    """The model that a section's annotation holds: itself, a value of its mapping, or one side of a union.

    Raises LookupError when there is none.
    """
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {dict, tuple, Union, UnionType}:
        for argument in get_args(annotation):
            try:
                return section_of(argument)
            except LookupError:
                continue
    raise LookupError(f"{annotation} holds no section")
