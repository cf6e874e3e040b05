"""pydantic's errors in the words of the file: the dotted path of the key, and what to write instead."""

from collections.abc import Collection, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from gateway.config.settings import DestinationSettings, Settings
from gateway.config.spelling import did_you_mean

Fault = tuple[str, str]
"""(dotted path of the key, what is wrong with it and what to do)"""

_TABLE = "write a table, like [section] or { key = value }"
_LIST = 'write a list, like ["a", "b"]'
_LIST_OF_TABLES = "write a list of tables, like [[section]] or [{ key = value }]"
_WORDS = {
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "dict_type": _TABLE,
    "finite_number": "write a number that ends",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "greater_than": "write more than {gt}",
    "greater_than_equal": "write {ge} or more",
    "int_from_float": "write a whole number",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "ip_any_network": 'write an address or a network, like "127.0.0.1" or "10.0.0.0/8"',
    "less_than_equal": "write {le} or less",
    "literal_error": "write one of {expected}",
    "missing": "this key is required",
    "model_attributes_type": _TABLE,
    "model_type": _TABLE,
    "path_not_file": "there is no such file",
    "path_type": "write a path in quotes",
    "string_too_long": "write at most {max_length} characters",
    "string_too_short": "write something here, or remove the key",
    "string_type": "write a text in quotes",
    "too_long": "write at most {max_length} of them",
    "too_short": "is empty; write at least {min_length}",
    "tuple_type": _LIST,
    "url_parsing": 'write an address, like "https://api.example"',
    "url_scheme": 'write an address, like "https://api.example"',
}
"""By pydantic's type of error; what stands in braces is pydantic's."""


def describe(detail: dict[str, Any], kinds: Sequence[type[DestinationSettings]]) -> Fault:
    """One of pydantic's errors as a fault. The value itself, which may be a secret, is never part of it."""
    location = [str(part) for part in detail["loc"]]
    kind = _take_kind(location, kinds)
    if location and location[-1] == "[key]":
        del location[-1]
    if detail["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        return ".".join([*location, "type"]), _no_kind(detail, _types(kinds))
    if detail["type"] == "extra_forbidden":
        return ".".join(location), _unknown(location, kind)
    return ".".join(location), _said(detail, location, kind)


def _said(detail: dict[str, Any], location: Sequence[str], kind: type[DestinationSettings]) -> str:
    if detail["type"] == "tuple_type" and _holds_tables(location, kind):
        return _LIST_OF_TABLES
    words = _WORDS.get(detail["type"])
    if words is None:
        return str(detail["msg"]).removeprefix("Value error, ")
    for name, value in detail.get("ctx", {}).items():
        words = words.replace(f"{{{name}}}", str(value))
    return words.replace("'", '"')


def _no_kind(detail: dict[str, Any], types: Collection[str]) -> str:
    said = str(detail.get("ctx", {}).get("tag", ""))
    there_are = ", ".join(f'"{name}"' for name in sorted(types))
    return f"write one of {there_are}{did_you_mean(said, types)}"


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
    meant = did_you_mean(location[-1], _keys_beside(location, kind))
    return f"unknown key{meant or f'; see {_page(location, kind)}'}"


def _page(location: Sequence[str], kind: type[DestinationSettings]) -> str:
    """Where the keys beside the last one are described. Kinds that come with the package have pages."""
    name = str(kind.model_fields["type"].default)
    is_tool = location[:1] == ["destinations"] and kind.__module__.startswith("gateway.destinations.")
    return f"docs/destinations/{name}.md" if is_tool else "docs/configuration.md"


def _keys_beside(location: Sequence[str], kind: type[DestinationSettings]) -> list[str]:
    """The keys that exist in the table of the key at `location`."""
    return list(_section_at(location[:-1], kind).model_fields)


def _holds_tables(location: Sequence[str], kind: type[DestinationSettings]) -> bool:
    """Whether the key at `location` is a list of sections."""
    field = _section_at(location[:-1], kind).model_fields.get(location[-1])
    try:
        return field is not None and bool(section_of(field.annotation))
    except LookupError:
        return False


def _section_at(location: Sequence[str], kind: type[DestinationSettings]) -> type[BaseModel]:
    """The section at `location`, whose destination is of this kind."""
    model: type[BaseModel] = Settings
    if location[:1] == ["destinations"]:
        location, model = location[2:], kind
    for part in location:
        model = section_of(model.model_fields[part].annotation) if part in model.model_fields else model
    return model


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
