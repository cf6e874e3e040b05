"""What a server knows of one person, for whoever asks: the graph's entries, the history, the events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from gateway.identity.evidence import device_of
from gateway.identity.naming import person_id_of
from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier, Known, Tenure
from gateway.warehouses.identity.entries import Entries
from gateway.warehouses.identity.evidence import normalised
from gateway.warehouses.identity.graph import Graph
from gateway.warehouses.identity.tables import PLACES, RECORDS, TENURES
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.session import Row, Session

Rows = list[dict[str, Any]]

ENOUGH = 100
"""Spellings of who somebody may be: events of one identifier have few."""

_IDENTITY = (
    *("identifier_type", "identifier", "first_seen", "last_seen", "linked_at", "linked_by"),
    *("cause", "owner_type", "owner", "is_shared"),
)
_SPAN = ("anonymous_id", "owner_type", "owner", "from", "to")
_RECORD = ("kind", "person_id", "other", "cause", "message_id", "timestamp", "recorded_at")
_LINK = ("left_type", "left_value", "right_type", "right_value", "cause", "message_id", "timestamp", "refused")
_EVENT = ("timestamp", "type", "event", "source", "anonymous_id", "user_id", "id")


class People:
    """Questions about persons, within one session; names in its SQL are in square brackets."""

    def __init__(self, session: Session, dialect: Dialect, entries: Entries) -> None:
        self._session = session
        self._dialect = dialect
        self._graph = Graph(entries)

    def find(self, identifier: str) -> Known | None:
        """The person with this identifier, of whatever type, or with this id; None where no event speaks of it."""
        spelled = self._texts(dict.fromkeys([identifier, normalised(identifier)]))
        candidates = self._fetch(f"""
            select [person_id], [identifier_type], [identifier] from [{PLACES}]
            where [identifier] in ({spelled}) or [person_id] = {self._text(identifier)}""")
        found = [row for row in candidates if identifier in (row[0], row[2]) or row[1] not in (USER_ID, ANONYMOUS_ID)]
        if found:
            best = min(found, key=lambda row: (row[0] != identifier, row[1] != USER_ID, row[1] == ANONYMOUS_ID))
            return self.known(best[0])
        return self._seen(identifier)

    def known(self, person_id: str) -> Known:
        """What a linked person is known by."""
        members = [each.identifier for each in self._graph.members([person_id])]
        return Known(
            person_id,
            frozenset(each.value for each in members if each.type == USER_ID),
            self._tenures(f"[person_id] = {self._text(person_id)}"),
            [each for each in members if each.type not in (USER_ID, ANONYMOUS_ID)],
        )

    def owners(self, devices: Collection[str]) -> Mapping[str, Sequence[Tenure]]:
        """Whose these devices are; those that nobody has claimed are not in the answer."""
        owned: dict[str, list[Tenure]] = {}
        for tenure in self._tenures(f"[anonymous_id] in ({self._texts(devices)})") if devices else []:
            owned.setdefault(tenure.anonymous_id, []).append(tenure)
        return owned

    def describe(self, person: Known, max_events: int) -> dict[str, Any]:
        """Identifiers and how each was linked, stretches, links, history, latest traits, and the newest events."""
        links = self._links(person)
        identifiers = self._about(person, "identities", _IDENTITY)
        spans = self._about(person, "identity_spans", _SPAN)
        newest = f"order by [timestamp] desc, [id] limit {int(max_events)}"
        return {
            "person_id": person.person_id,
            "summary": next(iter(self._about(person, "persons", list(self._session.stored()["persons"]))), {}),
            "identifiers": sorted(identifiers, key=lambda row: (row["linked_at"], row["identifier"])),
            "spans": sorted(spans, key=_by_beginning),
            "links": [link for link in links if link["refused"] is None],
            "refused": [link for link in links if link["refused"] is not None],
            "history": self._history(person, [row["identifier"] for row in identifiers]),
            "timeline": self._about(person, "person_events", _EVENT, newest) if max_events else [],
        }

    def export(self, person: Known, tables: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """All that is held: every row of every table, given with its columns, and the graph's entries."""
        document = self.describe(person, 0)
        del document["timeline"]
        rows: dict[str, Rows] = {}
        for table, columns in tables.items():
            found = self._fetch(f"""
                select {_listed(columns, "t.")} from [{table}] as t
                join ({self.events_of(person, [person.person_id])}) g on t.[id] = g.[id] and t.[source] = g.[source]""")
            if found:
                rows[table] = [dict(zip(columns, row, strict=True)) for row in found]
        return document | {"rows": rows}

    def events_of(self, person: Known, person_ids: Collection[str]) -> str:
        """A query for id and source of the events of these persons, and of all that `person` is known by."""
        us = self._dialect.us_of.format(moment="[timestamp]")
        theirs = [f"[person_id] in ({self._texts(person_ids)})", f"[user_id] in ({self._texts(person.user_ids)})"]
        for tenure in person.tenures:
            bounds = [f"[anonymous_id] = {self._text(tenure.anonymous_id)}"]
            bounds += [] if tenure.from_us is None else [f"{us} >= {tenure.from_us}"]
            bounds += [] if tenure.to_us is None else [f"{us} < {tenure.to_us}"]
            theirs.append(f"(not [is_identified] and {' and '.join(bounds)})")
        return f"select distinct [id], [source] from [person_events] where {' or '.join(theirs)}"

    # --- parts

    def _seen(self, identifier: str) -> Known | None:
        """A person of one identifier, whom only events speak of."""
        told = self._text(identifier)
        rows = self._fetch(f"""
            select distinct [person_id], [user_id], [anonymous_id] from [person_events]
            where [person_id] is not null and ([user_id] = {told} or [anonymous_id] = {told} or [person_id] = {told})
            limit {ENOUGH}""")
        if not rows:
            return None
        person_id, user_id, anonymous_id = min(rows, key=lambda row: (row[1] != identifier, row[1] is None))
        if user_id is not None and person_id == person_id_of(Identifier(USER_ID, user_id)):
            return Known(person_id, frozenset([user_id]), [])
        return Known(person_id, frozenset(), [Tenure(anonymous_id, device_of(anonymous_id))])

    def _tenures(self, where: str) -> list[Tenure]:
        columns = _listed(("anonymous_id", "owner_type", "owner", "from_us", "to_us"))
        rows = self._fetch(f"select {columns} from [{TENURES}] where {where}")
        return [Tenure(device, Identifier(kind, owner), from_us, to_us) for device, kind, owner, from_us, to_us in rows]

    def _links(self, person: Known) -> Rows:
        """Edges that touch one of the person's identifiers."""
        own = {*person.identifiers, *(device_of(tenure.anonymous_id) for tenure in person.tenures)}
        values = self._texts({each.value for each in own})
        found = self._rows("identity_edges", _LINK, f"[left_value] in ({values}) or [right_value] in ({values})")
        ends = (("left_type", "left_value"), ("right_type", "right_value"))
        theirs = [row for row in found if any(Identifier(row[kind], row[value]) in own for kind, value in ends)]
        return sorted(theirs, key=lambda row: (row["timestamp"], row["message_id"]))

    def _history(self, person: Known, identifiers: Iterable[str]) -> Rows:
        told = self._texts({person.person_id, *identifiers})
        where = f"[person_id] = {self._text(person.person_id)} or [other] in ({told})"
        return sorted(self._rows(RECORDS, _RECORD, where), key=lambda row: (row["recorded_at"], row["timestamp"]))

    def _about(self, person: Known, view: str, columns: Sequence[str], rest: str = "") -> Rows:
        return self._rows(view, columns, f"[person_id] = {self._text(person.person_id)} {rest}")

    def _rows(self, table: str, columns: Sequence[str], where: str) -> Rows:
        found = self._fetch(f"select {_listed(columns)} from [{table}] where {where}")
        return [dict(zip(columns, row, strict=True)) for row in found]

    def _fetch(self, query: str) -> list[Row]:
        return self._session.fetch(self._dialect.sql(query))

    def _text(self, text: str) -> str:
        return self._dialect.literal(text)

    def _texts(self, texts: Iterable[str]) -> str:
        return self._dialect.literals(texts)


def _by_beginning(span: Mapping[str, Any]) -> tuple[str, bool, Any]:
    return span["anonymous_id"], span["from"] is not None, span["from"]


def _listed(columns: Iterable[str], of: str = "") -> str:
    return ", ".join(f"{of}[{column}]" for column in columns)
