"""The graph in memory: a `Store`, and how its changes are kept."""

from collections.abc import Collection, Iterator, Sequence

from gateway.identity import Changes, Claim, Evidence, Guards, Link, Placement, Rules, resolve
from gateway.identity.evidence import Pair
from gateway.identity.store import Record
from gateway.model.person import Identifier, Tenure

BOUNDLESS = 2**40


class MemoryGraph:
    """As plain as can be."""

    def __init__(self, rules: Rules, guards: Guards | None = None) -> None:
        self.rules = rules
        self.guards = guards or Guards(BOUNDLESS)
        self.places: dict[Identifier, Placement] = {}
        self.tenures: dict[str, Sequence[tuple[Tenure, str]]] = {}
        self.claim_verdicts: dict[Claim, str] = {}
        self.link_verdicts: dict[Link, str] = {}
        self.pairs_undone: set[Pair] = set()
        self.records: list[Record] = []

    def take(self, claims: Sequence[Claim] = (), links: Sequence[Link] = (), now_us: int | None = 0) -> Changes:
        """One load."""
        changes = resolve(Evidence(claims, links), self, self.rules, self.guards, now_us)
        self.claim_verdicts |= changes.claims
        self.link_verdicts |= changes.links | changes.verdicts
        self.places |= {place.identifier: place for place in changes.placements}
        for device, stretches in self.tenures.items():
            self.tenures[device] = [(each, changes.moved.get(each.owner, person)) for each, person in stretches]
        self.tenures |= changes.tenures
        self.records += changes.records
        return changes

    def person_of(self, *identifier: str) -> str:
        """The person with the identifier of this type and value."""
        return self.places[Identifier(*identifier)].person_id

    # --- Store

    def placements(self, identifiers: Collection[Identifier]) -> Iterator[Placement]:
        return (self.places[each] for each in identifiers if each in self.places)

    def members(self, person_ids: Collection[str]) -> Iterator[Placement]:
        return (place for place in self.places.values() if place.person_id in person_ids)

    def claims(self, devices: Collection[str]) -> Iterator[Claim]:
        return (claim for claim, reason in self.claim_verdicts.items() if not reason and claim.device in devices)

    def links(self, identifiers: Collection[Identifier]) -> Iterator[tuple[Link, str]]:
        return (
            (link, reason)
            for link, reason in self.link_verdicts.items()
            if reason in ("", "limit") and not set(identifiers).isdisjoint(link.identifiers)
        )

    def undone(self) -> Collection[Pair]:
        return self.pairs_undone
