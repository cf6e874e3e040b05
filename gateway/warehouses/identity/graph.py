"""The graph's tables, as the rules see and change them, within the transaction of a load."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.identity import Changes, Claim, Link, Moment, Placement
from gateway.identity.evidence import Pair, device_of
from gateway.identity.naming import hash_of, person_hash
from gateway.identity.store import Record
from gateway.model.person import Identifier, Tenure
from gateway.warehouses.identity.entries import Entries, Row
from gateway.warehouses.identity.evidence import GROUP
from gateway.warehouses.identity.rows import CLAIM, EDGE, claim_of, edge_columns, link_of
from gateway.warehouses.identity.tables import CLAIMS, FROZEN, GRAPH_TABLES, LINKS, PLACES, RECORDS, TENURES, UNDONE

_JUDGED = (None, "limit")
"""Verdicts of the rules, which may change by what comes later."""
_PLACE = (
    *("identifier_type", "identifier", "person_id", "us", "message_id", "cause"),
    *("owner_type", "owner", "is_shared"),
)


class Graph:
    """A `Store` of gateway.identity, and what writes its changes."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    # --- reading

    def placements(self, identifiers: Collection[Identifier]) -> Iterator[Placement]:
        """See Store."""
        asked = set(identifiers)
        return (each for each in self._places("_hash", map(hash_of, asked)) if each.identifier in asked)

    def members(self, person_ids: Collection[str]) -> Iterator[Placement]:
        """See Store."""
        asked = set(person_ids)
        return (each for each in self._places("_person", map(person_hash, asked)) if each.person_id in asked)

    def claims(self, devices: Collection[str]) -> Iterator[Claim]:
        """See Store."""
        asked = set(devices)
        hashes = [hash_of(device_of(device)) for device in asked]
        for row in self._entries.find(CLAIMS, "_device", hashes, (*CLAIM, "refused")):
            if row[0] in asked and row[6] is None:
                yield claim_of(row)

    def links(self, identifiers: Collection[Identifier]) -> Iterator[tuple[Link, str]]:
        """See Store."""
        asked = set(identifiers)
        hashes = [hash_of(each) for each in asked]
        found: set[Row] = set()
        for column in ("_left", "_right"):
            found |= set(self._entries.find(LINKS, column, hashes, (*EDGE, "refused")))
        for row in found:
            link, reason = link_of(row), row[7]
            if link.cause != GROUP and reason in _JUDGED and not asked.isdisjoint(link.identifiers):
                yield link, reason or ""

    def undone(self) -> frozenset[Pair]:
        """See Store."""
        rows = self._entries.read(UNDONE, ("left_type", "left_value", "right_type", "right_value"))
        return frozenset(frozenset((Identifier(*row[:2]), Identifier(*row[2:]))) for row in rows)

    def frozen(self) -> set[Identifier]:
        """Identifiers that gained too many others."""
        return {Identifier(*row) for row in self._entries.read(FROZEN, ("identifier_type", "identifier"))}

    # --- writing

    def write(self, changes: Changes, now_us: int) -> None:
        """Everything. No table is read after it was written: not every warehouse shows that before the commit."""
        self._write_claims(changes.claims.items())
        self._write_verdicts(changes.verdicts)
        self._write_links(changes.links.items())
        self._write_places(changes.placements, changes.replaced)
        self._move_tenures(changes.moved)
        self._write_tenures(changes.tenures, changes.replaced)
        self._write_records(changes.records, now_us)
        self._insert(
            FROZEN,
            {
                "identifier_type": [each.type for each in changes.frozen],
                "identifier": [each.value for each in changes.frozen],
                "frozen_at": [now_us] * len(changes.frozen),
            },
        )

    def _write_claims(self, claims: Iterable[tuple[Claim, str]]) -> None:
        rows = list(claims)
        self._insert(
            CLAIMS,
            {
                "anonymous_id": [claim.device for claim, _ in rows],
                "claimant_type": [claim.claimant.type for claim, _ in rows],
                "claimant": [claim.claimant.value for claim, _ in rows],
                "us": [claim.at.us for claim, _ in rows],
                "message_id": [claim.at.message_id for claim, _ in rows],
                "cause": [claim.cause for claim, _ in rows],
                "refused": [reason or None for _, reason in rows],
                "_device": [hash_of(device_of(claim.device)) for claim, _ in rows],
            },
        )

    def _write_links(self, links: Iterable[tuple[Link, str]]) -> None:
        rows = list(links)
        self._insert(
            LINKS,
            edge_columns([link for link, _ in rows])
            | {
                "refused": [reason or None for _, reason in rows],
                "_left": [hash_of(link.left) for link, _ in rows],
                "_right": [hash_of(link.right) for link, _ in rows],
            },
        )

    def _write_verdicts(self, verdicts: Mapping[Link, str]) -> None:
        """Links that were judged before are written anew, all of an identifier together."""
        hashes = {hash_of(link.left) for link in verdicts}
        if not hashes:
            return
        columns = tuple(GRAPH_TABLES[LINKS])
        rows = self._entries.find(LINKS, "_left", hashes, columns)
        self._entries.delete(LINKS, "_left", hashes)
        refused = columns.index("refused")
        judged = [
            (*row[:refused], verdicts.get(link_of(row), row[refused]) or None, *row[refused + 1 :]) for row in rows
        ]
        self._insert(LINKS, _turned(columns, judged))

    def _write_places(self, places: Sequence[Placement], replaced: Sequence[Identifier]) -> None:
        changed = {each.identifier for each in places}
        self._delete(PLACES, "_hash", [each for each in replaced if each in changed])
        self._insert(
            PLACES,
            {
                "identifier_type": [each.identifier.type for each in places],
                "identifier": [each.identifier.value for each in places],
                "person_id": [each.person_id for each in places],
                "us": [each.born.us for each in places],
                "message_id": [each.born.message_id for each in places],
                "cause": [each.cause for each in places],
                "owner_type": [each.owner.type if each.owner else None for each in places],
                "owner": [each.owner.value if each.owner else None for each in places],
                "is_shared": [each.is_shared for each in places],
                "_hash": [hash_of(each.identifier) for each in places],
                "_person": [person_hash(each.person_id) for each in places],
            },
        )

    def _move_tenures(self, moved: Mapping[Identifier, str]) -> None:
        """Stretches of owners who belong to another person now are written anew."""
        if not moved:
            return
        columns = tuple(GRAPH_TABLES[TENURES])
        hashes = {hash_of(each) for each in moved}
        rows = self._entries.find(TENURES, "_owner", hashes, columns)
        if not rows:
            return
        self._entries.delete(TENURES, "_owner", hashes)
        stretches = _turned(columns, rows)
        owners = map(Identifier, stretches["owner_type"], stretches["owner"])
        persons = [moved.get(owner, before) for owner, before in zip(owners, stretches["person_id"], strict=True)]
        self._insert(TENURES, stretches | {"person_id": persons})

    def _write_tenures(
        self, by_device: dict[str, Sequence[tuple[Tenure, str]]], replaced: Sequence[Identifier]
    ) -> None:
        self._delete(TENURES, "_device", [each for each in replaced if each.value in by_device])
        rows = [row for tenures in by_device.values() for row in tenures]
        self._insert(
            TENURES,
            {
                "anonymous_id": [tenure.anonymous_id for tenure, _ in rows],
                "person_id": [person_id for _, person_id in rows],
                "owner_type": [tenure.owner.type for tenure, _ in rows],
                "owner": [tenure.owner.value for tenure, _ in rows],
                "from_us": [tenure.from_us for tenure, _ in rows],
                "to_us": [tenure.to_us for tenure, _ in rows],
                "_device": [hash_of(device_of(tenure.anonymous_id)) for tenure, _ in rows],
                "_owner": [hash_of(tenure.owner) for tenure, _ in rows],
            },
        )

    def _write_records(self, records: Sequence[Record], now_us: int) -> None:
        self._insert(
            RECORDS,
            {
                "kind": [each.kind for each in records],
                "person_id": [each.person_id for each in records],
                "other": [each.other for each in records],
                "cause": [each.cause for each in records],
                "message_id": [each.at.message_id for each in records],
                "timestamp": [each.at.us for each in records],
                "recorded_at": [now_us] * len(records),
            },
        )

    def _places(self, column: str, hashes: Iterable[int]) -> Iterator[Placement]:
        for row in self._entries.find(PLACES, column, list(hashes), _PLACE):
            owner = Identifier(row[6], row[7]) if row[6] else None
            yield Placement(Identifier(row[0], row[1]), row[2], Moment(row[3], row[4]), row[5], owner, row[8])

    def _delete(self, table: str, column: str, identifiers: Collection[Identifier]) -> None:
        if identifiers:
            self._entries.delete(table, column, [hash_of(each) for each in identifiers])

    def _insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        if next(iter(columns.values())):
            self._entries.insert(table, columns)


def _turned(columns: Sequence[str], rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Rows as columns."""
    return {name: [row[index] for row in rows] for index, name in enumerate(columns)}
