"""What events say about who is who."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gateway.model.person import ANONYMOUS_ID, Identifier

REMEMBERED = 2**16
"""Devices whose identifiers are kept: a load asks for each many times."""
ALIAS = "alias"
EVENT = "event"
"""The cause of a link that is only implied: the event carries both ids."""


class Moment(NamedTuple):
    """When an event happened, in microseconds since the epoch, and which it was: its message id."""

    us: int
    message_id: str


@lru_cache(maxsize=REMEMBERED)
def device_of(anonymous_id: str) -> Identifier:
    """A device as an identifier."""
    return Identifier(ANONYMOUS_ID, anonymous_id)


class Claim(NamedTuple):
    """A user, or a strong identifier, was seen on a device."""

    device: str
    """The anonymous id."""
    claimant: Identifier
    at: Moment
    cause: str

    @property
    def identifiers(self) -> tuple[Identifier, Identifier]:
        """The claimant and the device."""
        return self.claimant, device_of(self.device)


class Link(NamedTuple):
    """Two identifiers, neither of them a device, are the same person's. `cause` is ALIAS or the type of `right`."""

    left: Identifier
    right: Identifier
    at: Moment
    cause: str

    @property
    def identifiers(self) -> tuple[Identifier, Identifier]:
        """Both."""
        return self.left, self.right


Pair = frozenset[Identifier]


def pair_of(edge: Claim | Link) -> Pair:
    """The two identifiers, whichever way round."""
    return frozenset(edge.identifiers)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a load has to say. Junk and links of something to itself are gone already."""

    claims: Sequence[Claim] = ()
    links: Sequence[Link] = ()
    memberships: Sequence[Link] = ()
    """Of users in groups: kept, and never judged."""
    junk: int = 0
    """Links to what names nobody."""

    @property
    def edges(self) -> int:
        """How many there are to keep."""
        return len(self.claims) + len(self.links) + len(self.memberships)
