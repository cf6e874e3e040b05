"""What a destination's owner lets through to it: named rules, the fields that go along, consent."""

from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gateway.config.section import Section
from gateway.config.spelling import did_you_mean
from gateway.config.texts import Country, Name, like

TABLES = ("properties", "traits", "context", "integrations", "_metadata")
"""Fields of events that hold others."""
SCALARS = (
    "type", "event", "name", "category", "messageId", "userId", "anonymousId", "groupId", "previousId", "timestamp",
    "originalTimestamp", "sentAt", "receivedAt", "channel", "version", "writeKey", "rudderId",
)  # fmt: skip

FieldPath = Annotated[
    str, like(r"[^.]+(\.[^.]+)*", 'write keys with dots between, like "properties.total"'), Field(max_length=256)
]
"""Keys from the event inwards, with dots between: "properties.total"."""


def _begins_an_event(path: str) -> str:
    first, *inside = path.split(".")
    known = TABLES if inside else (*TABLES, *SCALARS)
    if any(fnmatchcase(field, first) for field in known):
        return path
    meant = did_you_mean(first, known)
    if not meant and not inside:
        meant = f'; say where it is, like "properties.{path}" or "traits.{path}"'
    raise ValueError(f'"{first}" is no {"table" if inside else "field"} of an event{meant or _TABLES_THERE_ARE}')


_TABLES_THERE_ARE = "; a path begins with properties, traits, context or integrations"
EventPath = Annotated[FieldPath, AfterValidator(_begins_an_event)]
"""A path into an event; its first key may hold * and ?."""
Share = Annotated[float, Field(ge=0, le=1)]
EventType = Literal["track", "page", "screen", "identify", "group", "alias"]


def _one_value(value: object) -> object:
    if not isinstance(value, str | int | float | bool):
        raise ValueError("write one text or number, or true or false; several stand in one_of")  # noqa: TRY004 - pydantic turns ValueError alone into a fault
    return value


Scalar = Annotated[str | int | float | bool, BeforeValidator(_one_value)]


class Condition(Section):
    """What must be true of one field of a table; all that is said must be."""

    field: FieldPath
    exists: bool | None = None
    equals: Scalar | None = None
    one_of: tuple[Scalar, ...] = ()
    none_of: tuple[Scalar, ...] = ()
    matches: tuple[str, ...] = ()
    """Patterns with * and ?, of which one must fit the text."""
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.model_fields_set <= {"field"}:
            raise ValueError("asks nothing; add exists, equals, one_of, none_of, matches, above or below")
        return self


class EventCondition(Condition):
    """What must be true of one field of an event."""

    field: EventPath


class Match(Section):
    """Which events are meant: all that is said must be true, and of each list one member."""

    types: tuple[EventType, ...] = ()
    events: tuple[str, ...] = ()
    """Names of track events, and of pages and screens, with * and ?."""
    sources: tuple[str, ...] = ()
    countries: tuple[Country, ...] = ()
    """ISO 3166 codes, of `context.location.country`."""
    bots: bool | None = None
    """Whether `context.bot` was set."""
    where: tuple[EventCondition, ...] = ()
    share: Share | None = None
    """Of the people, always the same ones."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("means every event; say which ones by types, events, sources, countries, where or share")
        return self


class Rule(Section):
    """What it keeps back is counted as filtered, under its name."""

    name: Name
    drop_if: Match | None = None
    drop_unless: Match | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.drop_if is None) == (self.drop_unless is None):
            raise ValueError("write either drop_if or drop_unless")
        return self


class FieldRules(Section):
    """Which fields of an event go along. `*` stands for any key, or a part of one."""

    allow: tuple[EventPath, ...] = ()
    """Of each table that is named here (properties, traits, context) nothing else goes along."""
    deny: tuple[EventPath, ...] = ()
    rename: dict[EventPath, FieldPath] = Field(default={})

    @model_validator(mode="before")
    @classmethod
    def _the_core_stays(cls, value: Any) -> Any:
        core = {"type", "messageId", "anonymousId", "userId", "timestamp", "context", "*"}
        paths = [*value.get("deny", ()), *value.get("rename", {})] if isinstance(value, dict) else []
        for path in paths:
            if path in core:
                raise ValueError(f'"{path}" is part of every event; name a field within properties, traits or context')
        return value
