"""Who is who: `[destinations.NAME.identity]` of a warehouse."""

from typing import Annotated

from pydantic import AfterValidator, Field

from gateway.config.section import Section
from gateway.config.texts import like

RESERVED = {"user_id", "anonymous_id", "group_id", "identify", "alias", "group", "event"}
"""Types of identifiers, and causes of links, that have a meaning of their own."""


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f'"{name}" has a meaning of its own in the graph; send the trait under another name')
    return name


Type = Annotated[
    str,
    like(
        r"[A-Za-z][A-Za-z0-9_]{0,62}",
        'write up to 63 letters, digits and _, of which the first is a letter, like "email"',
    ),
]
Trait = Annotated[Type, AfterValidator(_not_reserved)]
Count = Annotated[int, Field(ge=1)]


class IdentitySettings(Section):
    """docs/identity.md has the rules."""

    enabled: bool = True
    """Keep track of who is who. Without, nothing more is linked, and every identifier is a person of its own."""
    strong: tuple[Trait, ...] = Field(default=("email",), max_length=8)
    """Traits that identify a person, the strongest first."""
    limits: dict[Type, Count] = Field(default={})
    """How many identifiers of a type strong identifiers may bring together in one person: 1 `user_id`, 5 of others."""
    blocklist: tuple[str, ...] = ()
    """Further values that name nobody; case and surrounding space do not matter."""
    max_identifiers: int = Field(default=1_000, ge=2)
    """Identifiers of one person; further ones are not linked."""
    max_merges: int = Field(default=100, ge=1)
    """Merges of one person."""
    max_links_an_hour: int = Field(default=100, ge=1)
    """An identifier that gains more others in an hour is frozen: it gains no more."""
