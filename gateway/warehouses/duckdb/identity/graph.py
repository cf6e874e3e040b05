"""The graph's tables, as the rules see and change them, within the transaction of a load."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import duckdb

from gateway.identity import Changes, Claim, Link, Moment, Placement
from gateway.identity.evidence import Pair, device_of
from gateway.identity.naming import hash_of, person_hash
from gateway.identity.store import Record
from gateway.model.person import Identifier, Tenure
from gateway.warehouses.duckdb.identity.tables import CLAIMS, FROZEN, LINKS, PLACES, RECORDS, TENURES, UNDONE
from gateway.warehouses.identity.evidence import GROUP
from gateway.warehouses.identity.rows import CLAIM, EDGE, claim_of, edge_columns, link_of
from gateway.warehouses.shaping.arrivals import rows_of

MANY = 2_000
"""So many are somewhere in every part of a large table."""
_JUDGED = ("", "limit")
"""Verdicts of the rules, which may change by what comes later."""
_PLACE = "identifier_type, identifier, person_id, us, message_id, cause, owner_type, owner, is_shared"


class Graph:
    """A `Store` of gateway.identity, and what writes its changes."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

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
        hashes = (hash_of(device_of(device)) for device in asked)
        for row in self._found(CLAIMS, "_device", hashes, f"{CLAIM}, refused"):
            if row[0] in asked and row[6] is None:
                yield claim_of(row)

    def links(self, identifiers: Collection[Identifier]) -> Iterator[tuple[Link, str]]:
        """See Store."""
        asked = set(identifiers)
        found: set[tuple[Any, ...]] = set()
        for column in ("_left", "_right"):
            found |= set(self._found(LINKS, column, map(hash_of, asked), f"{EDGE}, coalesce(refused, '')"))
        for row in found:
            link, reason = link_of(row), row[7]
            if link.cause != GROUP and reason in _JUDGED and not asked.isdisjoint(link.identifiers):
                yield link, reason

    def undone(self) -> frozenset[Pair]:
        """See Store."""
        pairs = f"select left_type, left_value, right_type, right_value from {UNDONE}"
        return frozenset(
            frozenset((Identifier(*row[:2]), Identifier(*row[2:])))
            for row in self._connection.execute(pairs).fetchall()
        )

    def frozen(self) -> set[Identifier]:
        """Identifiers that gained too many others."""
        return {
            Identifier(*row)
            for row in self._connection.execute(f"select identifier_type, identifier from {FROZEN}").fetchall()
        }

    # --- writing

    def write(self, changes: Changes, now_us: int) -> None:
        """Everything, in the order in which it depends on each other."""
        self._write_claims(changes.claims.items())
        self._write_links(changes.links.items())
        self._write_verdicts(changes.verdicts.items())
        self._write_places(changes.placements, changes.replaced)
        self._move_tenures(changes.moved)
        self._write_tenures(changes.tenures, changes.replaced)
        self._write_records(changes.records, now_us)
        self._insert(
            FROZEN,
            {
                "identifier_type": [each.type for each in changes.frozen],
                "identifier": [each.value for each in changes.frozen],
                "us": [now_us] * len(changes.frozen),
            },
            "identifier_type, identifier, make_timestamptz(us)",
        )

    def _write_claims(self, claims: Iterable[tuple[Claim, str]]) -> None:
        rows = list(claims)
        devices = [device_of(claim.device) for claim, _ in rows]
        self._insert(
            CLAIMS,
            {
                "anonymous_id": [claim.device for claim, _ in rows],
                "claimant_type": [claim.claimant.type for claim, _ in rows],
                "claimant": [claim.claimant.value for claim, _ in rows],
                "us": [claim.at.us for claim, _ in rows],
                "message_id": [claim.at.message_id for claim, _ in rows],
                "cause": [claim.cause for claim, _ in rows],
                "refused": [reason for _, reason in rows],
                "device": [hash_of(device) for device in devices],
            },
            "anonymous_id, claimant_type, claimant, us, message_id, cause, nullif(refused, ''), device",
        )

    def _write_links(self, links: Iterable[tuple[Link, str]]) -> None:
        rows = list(links)
        self._insert(
            LINKS,
            edge_columns([link for link, _ in rows])
            | {
                "refused": [reason for _, reason in rows],
                "left_hash": [hash_of(link.left) for link, _ in rows],
                "right_hash": [hash_of(link.right) for link, _ in rows],
            },
            f"{EDGE}, nullif(refused, ''), left_hash, right_hash",
        )

    def _write_verdicts(self, verdicts: Iterable[tuple[Link, str]]) -> None:
        for link, reason in verdicts:
            self._connection.execute(
                f"update {LINKS} set refused = nullif(?, '') where _left = ? and message_id = ? and us = ?"
                " and cause = ? and left_value = ? and right_type = ? and right_value = ?",
                [reason, hash_of(link.left), link.at.message_id, link.at.us, link.cause, link.left.value, *link.right],
            )

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
                "owner_type": [each.owner.type if each.owner else "" for each in places],
                "owner": [each.owner.value if each.owner else "" for each in places],
                "is_shared": [int(each.is_shared) for each in places],
                "hash": [hash_of(each.identifier) for each in places],
                "person": [person_hash(each.person_id) for each in places],
            },
            "identifier_type, identifier, person_id, us, message_id, cause, nullif(owner_type, ''), nullif(owner, ''),"
            " is_shared = 1, hash, person",
        )

    def _move_tenures(self, moved: dict[Identifier, str]) -> None:
        if not moved:
            return
        columns: dict[str, list[Any]] = {
            "hash": [hash_of(each) for each in moved],
            "person_id": list(moved.values()),
        }
        self._connection.register("moved", rows_of(columns))
        self._connection.execute(
            "create or replace temp table moved_tenures as"
            f" select t.rowid as row, t.* replace (m.person_id as person_id) from {TENURES} t join moved m"
            " on t._owner = m.hash where t.person_id <> m.person_id"
        )
        self._connection.execute(f"delete from {TENURES} where rowid in (select row from temp.moved_tenures)")
        self._connection.execute(f"insert into {TENURES} select * exclude (row) from temp.moved_tenures")

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
                "has_from": [int(tenure.from_us is not None) for tenure, _ in rows],
                "from_us": [tenure.from_us or 0 for tenure, _ in rows],
                "has_to": [int(tenure.to_us is not None) for tenure, _ in rows],
                "to_us": [tenure.to_us or 0 for tenure, _ in rows],
                "device": [hash_of(device_of(tenure.anonymous_id)) for tenure, _ in rows],
                "owner_hash": [hash_of(tenure.owner) for tenure, _ in rows],
            },
            "anonymous_id, person_id, owner_type, owner, case when has_from = 1 then from_us end,"
            " case when has_to = 1 then to_us end, device, owner_hash",
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
                "us": [each.at.us for each in records],
                "now_us": [now_us] * len(records),
            },
            "kind, person_id, other, cause, message_id, make_timestamptz(us), make_timestamptz(now_us)",
        )

    # --- the engine

    def _places(self, column: str, hashes: Iterable[int]) -> Iterator[Placement]:
        for row in self._found(PLACES, column, hashes, _PLACE):
            owner = Identifier(row[6], row[7]) if row[6] else None
            yield Placement(Identifier(row[0], row[1]), row[2], Moment(row[3], row[4]), row[5], owner, row[8])

    def _found(self, table: str, column: str, hashes: Iterable[int], columns: str) -> list[tuple[Any, ...]]:
        """Rows by hash. Few in two steps: one column of the whole table is read, the others only where something is."""
        where = f"from {table} semi join asked on {column} = hash"
        if self._ask(hashes) > MANY:
            return self._connection.execute(f"select {columns} {where}").fetchall()
        rowids = self._connection.execute(f"select rowid {where}").fetchall()
        if not rowids:
            return []
        self._connection.register("rowids", rows_of({"number": [row for (row,) in rowids]}))
        return self._connection.execute(
            f"select {columns} from {table} t join rowids r on t.rowid = r.number"
        ).fetchall()

    def _ask(self, hashes: Iterable[int]) -> int:
        """How many there are in the view `asked`."""
        asked = list(hashes)
        self._connection.register("asked", rows_of({"hash": asked}))
        return len(asked)

    def _delete(self, table: str, column: str, identifiers: Collection[Identifier]) -> None:
        if identifiers:
            self._ask(map(hash_of, identifiers))
            self._connection.execute(f"delete from {table} where {column} in (select hash from asked)")

    def _insert(self, table: str, columns: dict[str, list[Any]], expressions: str) -> None:
        if next(iter(columns.values())):
            self._connection.register("inserted", rows_of(columns))
            self._connection.execute(f"insert into {table} select {expressions} from inserted")
