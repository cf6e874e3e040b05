"""Keeps the graph: one call for each load, within its transaction."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb

from gateway.config.identity import IdentitySettings
from gateway.identity import Changes, Evidence, Guards, Rules, resolve
from gateway.model.clock import Clock
from gateway.model.person import Known
from gateway.warehouses.duckdb.identity import revision
from gateway.warehouses.duckdb.identity.graph import Graph
from gateway.warehouses.duckdb.identity.pending import Pending
from gateway.warehouses.duckdb.identity.tables import CREATE_TABLES, GRAPH, REPLACED, make_room
from gateway.warehouses.duckdb.identity.views import create_views
from gateway.warehouses.identity.evidence import evidence_of
from gateway.warehouses.identity.memory import Memory
from gateway.warehouses.schema import Schema

JUNK = "junk"


class IdentityKeeper:
    """What is in memory follows the file: `prepare` reads it, `settle` comes after a commit."""

    def __init__(self, settings: IdentitySettings, clock: Clock, memory_limit: int) -> None:
        self.rules = rules_of(settings)
        self._is_enabled = settings.enabled
        self._clock = clock
        self._memory_limit = memory_limit
        self._guards = Guards(self.rules.max_links_an_hour)
        self._memory = Memory()
        self._pending = Pending(clock)
        self._untold = Counter[str]()
        """What came of judging between loads."""

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the tables, and learn from them."""
        for statement in CREATE_TABLES:
            connection.execute(statement)
        self._guards = Guards(self.rules.max_links_an_hour)
        self._guards.frozen |= Graph(connection).frozen()
        self._memory = Memory()
        self._pending.restore(connection)

    def show(self, connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        """Make the views, of the columns that there are now."""
        for statement in create_views(schema, self.rules.blocklist):
            connection.execute(statement)

    def unmerge(self, connection: duckdb.DuckDBPyConnection, left: str, right: str) -> tuple[str, str]:
        """See revision.py."""
        make_room(connection, self._memory_limit, GRAPH)
        return revision.unmerge(connection, self.rules, left, right, self._clock.now_ms() * 1000)

    def rebuild(self, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
        """See revision.py."""
        make_room(connection, self._memory_limit, GRAPH)
        return revision.rebuild(connection, self.rules, self._clock.now_ms() * 1000)

    def forget(self, connection: duckdb.DuckDBPyConnection, person: Known, tables: Sequence[str]) -> dict[str, int]:
        """See revision.py."""
        make_room(connection, self._memory_limit, [*GRAPH, *tables])
        return revision.forget(connection, self.rules, person, tables, self._clock.now_ms() * 1000)

    def take(self, connection: duckdb.DuckDBPyConnection) -> Counter[str]:
        """What `temp.staged` says goes into the graph, or waits for it (see pending.py).

        Returns what was refused and what changed, counted. Where identity is switched off, nothing more is linked.
        """
        if not self._is_enabled:
            return Counter()
        self._memory.begin()
        evidence = evidence_of(connection, self.rules, self._memory)
        counts = Counter({JUNK: evidence.junk}) if evidence.junk else Counter[str]()
        if self._pending.may_wait(evidence):
            self._pending.add(connection, evidence)
            return counts
        return counts + self._told(self._judge(connection, self._pending.take(connection, evidence)))

    @property
    def waiting(self) -> int:
        """How many edges are stored and not judged."""
        return self._pending.edges

    @property
    def is_due(self) -> bool:
        """Whether `catch_up` should come now, without a load."""
        return self._pending.is_due

    def catch_up(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Judge what waits; a later load tells what came of it."""
        self._untold += self._judge(connection, self._pending.take(connection, Evidence()))

    def settle(self) -> None:
        """The load was committed."""
        self._memory.settle()
        self._pending.settle()

    def _told(self, counts: Counter[str]) -> Counter[str]:
        untold, self._untold = self._untold, Counter()
        return counts + untold

    def _judge(self, connection: duckdb.DuckDBPyConnection, evidence: Evidence) -> Counter[str]:
        if not evidence.edges:
            return Counter()
        now_us = self._clock.now_ms() * 1000
        with self._pending.judging():
            make_room(connection, self._memory_limit, REPLACED)
            graph = Graph(connection)
            changes = resolve(evidence, graph, self.rules, self._guards, now_us)
            graph.write(changes, now_us)
        return counted(changes)


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
