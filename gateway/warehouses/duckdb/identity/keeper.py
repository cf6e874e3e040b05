"""Keeps the graph: one call for each load, within its transaction."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb

from gateway.config.identity import IdentitySettings
from gateway.identity import Changes, Guards, Rules, resolve
from gateway.model.clock import Clock
from gateway.model.person import Known
from gateway.warehouses.duckdb.identity import revision
from gateway.warehouses.duckdb.identity.evidence import evidence_of
from gateway.warehouses.duckdb.identity.graph import Graph
from gateway.warehouses.duckdb.identity.memory import Memory
from gateway.warehouses.duckdb.identity.tables import CREATE_TABLES
from gateway.warehouses.duckdb.identity.views import create_views
from gateway.warehouses.schema import Schema

JUNK = "junk"


class IdentityKeeper:
    """What is in memory follows the file: `prepare` reads it, `settle` comes after a commit."""

    def __init__(self, settings: IdentitySettings, clock: Clock) -> None:
        self.rules = rules_of(settings)
        self._is_enabled = settings.enabled
        self._clock = clock
        self._guards = Guards(self.rules.max_links_an_hour)
        self._memory = Memory()

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the tables, and learn from them."""
        for statement in CREATE_TABLES:
            connection.execute(statement)
        self._guards = Guards(self.rules.max_links_an_hour)
        self._guards.frozen |= Graph(connection).frozen()
        self._memory = Memory()

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
        """Bring the graph up to what `temp.staged` says; what was refused and what changed, counted.

        Where identity is switched off, nothing more is linked, and the tables and views stay.
        """
        if not self._is_enabled:
            return Counter()
        self._memory.begin()
        evidence = evidence_of(connection, self.rules, self._memory)
        counts = Counter({JUNK: evidence.junk}) if evidence.junk else Counter[str]()
        if not (evidence.claims or evidence.links or evidence.memberships):
            return counts
        now_us = self._clock.now_ms() * 1000
        graph = Graph(connection)
        changes = resolve(evidence, graph, self.rules, self._guards, now_us)
        graph.write(changes, now_us)
        return counts + counted(changes)

    def settle(self) -> None:
        """The load was committed."""
        self._memory.settle()


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
