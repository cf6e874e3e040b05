"""What a destination's owner lets through to it: named rules, the fields that go along, consent."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from gateway.config.section import Section

RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
"""A rule's name: it becomes a metric label."""
FieldPath = Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$", max_length=256)]
"""Keys from the event inwards, with dots between: "properties.total"."""
Share = Annotated[float, Field(ge=0, le=1)]
EventType = Literal["track", "page", "screen", "identify", "group", "alias"]
Scalar = str | int | float | bool


class Condition(Section):
    """What must be true of one field; all that is said must be."""

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


class Match(Section):
    """Which events are meant: all that is said must be true, and of each list one member."""

    types: tuple[EventType, ...] = ()
    events: tuple[str, ...] = ()
    """Names of track events, and of pages and screens, with * and ?."""
    sources: tuple[str, ...] = ()
    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] = ()
    """ISO 3166 codes, of `context.location.country`."""
    bots: bool | None = None
    """Whether `context.bot` was set."""
    where: tuple[Condition, ...] = ()
    share: Share | None = None
    """Of the people, always the same ones."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("means every event; say which ones by types, events, sources, countries, where or share")
        return self


class Rule(Section):
    """What it keeps back is counted as filtered, under its name."""

    name: RuleName
    drop_if: Match | None = None
    drop_unless: Match | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.drop_if is None) == (self.drop_unless is None):
            raise ValueError("write either drop_if or drop_unless")
        return self


class FieldRules(Section):
    """Which fields of an event go along. `*` stands for any key, or a part of one."""

    allow: tuple[FieldPath, ...] = ()
    """Of each table that is named here (properties, traits, context) nothing else goes along."""
    deny: tuple[FieldPath, ...] = ()
    rename: dict[FieldPath, FieldPath] = Field(default={})

    @model_validator(mode="before")
    @classmethod
    def _the_core_stays(cls, value: Any) -> Any:
        core = {"type", "messageId", "anonymousId", "userId", "timestamp", "context", "*"}
        paths = [*value.get("deny", ()), *value.get("rename", {})] if isinstance(value, dict) else []
        for path in paths:
            if path in core:
                raise ValueError(f'"{path}" is part of every event; name a field within properties, traits or context')
        return value
