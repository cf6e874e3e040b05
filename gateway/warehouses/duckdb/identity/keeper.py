"""Keeps the graph: one call for each load, within its transaction."""

from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeVar

import duckdb

from gateway.config.identity import IdentitySettings
from gateway.identity import Changes, Claim, Evidence, Guards, Link, Rules, resolve
from gateway.identity.devices import HOUR_US
from gateway.identity.evidence import EVENT, pair_of
from gateway.model.clock import Clock
from gateway.model.person import Known
from gateway.warehouses.duckdb.identity import revision
from gateway.warehouses.duckdb.identity.evidence import evidence_of
from gateway.warehouses.duckdb.identity.graph import Graph
from gateway.warehouses.duckdb.identity.tables import CREATE_TABLES
from gateway.warehouses.duckdb.identity.views import create_views
from gateway.warehouses.schema import Schema

JUNK = "junk"
REMEMBERED = 100_000
"""Links that were stored lately: what says the same again is not looked at."""

Edge = TypeVar("Edge", Claim, Link)


class IdentityKeeper:
    """What is in memory follows the file: `prepare` reads it, `settle` comes after a commit."""

    def __init__(self, settings: IdentitySettings, clock: Clock) -> None:
        self.rules = rules_of(settings)
        self._clock = clock
        self._guards = Guards(self.rules.max_links_an_hour)
        self._recent: OrderedDict[Hashable, int] = OrderedDict()
        self._stored: list[tuple[Hashable, int]] = []

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the tables, and learn from them."""
        for statement in CREATE_TABLES:
            connection.execute(statement)
        self._guards = Guards(self.rules.max_links_an_hour)
        self._guards.frozen |= Graph(connection).frozen()
        self._recent.clear()
        self._stored.clear()

    def show(self, connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        """Make the views, of the columns that there are now."""
        for statement in create_views(schema, self.rules.blocklist):
            connection.execute(statement)

    def unmerge(self, connection: duckdb.DuckDBPyConnection, left: str, right: str) -> tuple[str, str]:
        """See revision.py."""
        return revision.unmerge(connection, self.rules, left, right, self._clock.now_ms() * 1000)

    def rebuild(self, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
        """See revision.py."""
        return revision.rebuild(connection, self.rules, self._clock.now_ms() * 1000)

    def forget(self, connection: duckdb.DuckDBPyConnection, person: Known, tables: Sequence[str]) -> dict[str, int]:
        """See revision.py."""
        return revision.forget(connection, self.rules, person, tables, self._clock.now_ms() * 1000)

    def take(self, connection: duckdb.DuckDBPyConnection) -> Counter[str]:
        """Bring the graph up to what `temp.staged` says; what was refused and what changed, counted."""
        evidence = evidence_of(connection, self.rules)
        self._stored = []
        news = Evidence(self._news(evidence.claims), self._news(evidence.links), self._news(evidence.memberships))
        counts = Counter({JUNK: evidence.junk})
        if not (news.claims or news.links or news.memberships):
            return counts
        now_us = self._clock.now_ms() * 1000
        graph = Graph(connection)
        changes = resolve(news, graph, self.rules, self._guards, now_us)
        graph.write(changes, now_us)
        return counts + counted(changes)

    def settle(self) -> None:
        """The load was committed."""
        for key, us in self._stored:
            self._recent[key] = us
            self._recent.move_to_end(key)
        self._stored.clear()
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def _news(self, edges: Iterable[Edge]) -> list[Edge]:
        """What was not said before, or happened before that."""
        news = []
        for edge in edges:
            key = _key(edge)
            known = self._recent.get(key)
            if known is None or edge.at.us < known:
                news.append(edge)
                self._stored.append((key, edge.at.us))
        return news


def rules_of(settings: IdentitySettings) -> Rules:
    """The owner's decisions as the rules use them."""
    return Rules(
        limits=settings.limits,
        blocklist=frozenset(word.strip().lower() for word in settings.blocklist),
        strong=settings.strong,
        max_identifiers=settings.max_identifiers,
        max_merges=settings.max_merges,
        max_links_an_hour=settings.max_links_an_hour,
    )


def counted(changes: Changes) -> Counter[str]:
    """Refused links by reason, and records by kind."""
    verdicts = (*changes.claims.values(), *changes.links.values())
    return Counter(reason for reason in verdicts if reason) + Counter(record.kind for record in changes.records)


def _key(edge: Claim | Link) -> Hashable:
    """Edges of the same key say the same; but each identify and alias counts on its device."""
    if isinstance(edge, Link):
        return pair_of(edge), edge.cause
    return edge.identifiers, edge.at.us // HOUR_US if edge.cause == EVENT else edge.at
