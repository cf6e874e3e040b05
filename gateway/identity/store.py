"""The graph as a warehouse keeps it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gateway.identity.evidence import Claim, Link, Moment, Pair
from gateway.model.person import Identifier, Tenure


class Placement(NamedTuple):
    """Where an identifier stands: its person, and since when it is linked to anything."""

    identifier: Identifier
    person_id: str
    born: Moment
    cause: str
    """Of its first link."""
    owner: Identifier | None = None
    """Of a device: who claimed it first."""
    is_shared: bool = False
    """Of a device: more than one has claimed it."""

    def of(self, person_id: str) -> "Placement":
        """The same with this person."""
        if person_id == self.person_id:
            return self
        return Placement(self.identifier, person_id, self.born, self.cause, self.owner, self.is_shared)


class Record(NamedTuple):
    """A line of the history of persons: what happened to `other`, an identifier or a person, and why."""

    kind: str
    """"merge", "correction" or "split"."""
    person_id: str
    other: str
    cause: str
    at: Moment


@dataclass(slots=True)
class Changes:
    """What a load does to the graph. Each placement takes the place of the identifier's former one."""

    claims: dict[Claim, str] = field(default_factory=dict)
    """To be kept, each with the reason why it does not count; empty where it does."""
    links: dict[Link, str] = field(default_factory=dict)
    placements: list[Placement] = field(default_factory=list)
    replaced: list[Identifier] = field(default_factory=list)
    """Those of the placements that stood somewhere before; also devices whose stretches are told anew."""
    tenures: dict[str, Sequence[tuple[Tenure, str]]] = field(default_factory=dict)
    """By device: all its stretches, each with the person of its owner."""
    moved: dict[Identifier, str] = field(default_factory=dict)
    """Owners whose devices' stretches belong to another person now."""
    verdicts: dict[Link, str] = field(default_factory=dict)
    """Links of earlier loads that are judged differently now; empty: they count."""
    records: list[Record] = field(default_factory=list)
    frozen: list[Identifier] = field(default_factory=list)


class Store(Protocol):
    """Answers within the transaction of the load."""

    def placements(self, identifiers: Collection[Identifier]) -> Iterable[Placement]:
        """Of those that are linked to anything."""
        ...

    def members(self, person_ids: Collection[str]) -> Iterable[Placement]:
        """All that belong to these persons."""
        ...

    def claims(self, devices: Collection[str]) -> Iterable[Claim]:
        """All earlier claims of these devices that no guard and nobody's undoing keeps from counting."""
        ...

    def links(self, identifiers: Collection[Identifier]) -> Iterable[tuple[Link, str]]:
        """All earlier links of these, with the verdict on each; not those that a guard or an undoing refused."""
        ...

    def undone(self) -> Collection[Pair]:
        """Pairs whose links do not count, because the owner said so."""
        ...
