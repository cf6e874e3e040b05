"""Keeps the graph: one call for each load, within its transaction."""

from collections import Counter

import duckdb

from gateway.config.identity import IdentitySettings
from gateway.identity import Changes, Evidence, Guards, Rules, resolve
from gateway.model.clock import Clock
from gateway.warehouses.identity.entries import Entries
from gateway.warehouses.identity.evidence import evidence_of
from gateway.warehouses.identity.graph import Graph
from gateway.warehouses.identity.memory import Memory
from gateway.warehouses.identity.pending import Pending
from gateway.warehouses.identity.tables import REVISIONS

JUNK = "junk"


class IdentityKeeper:
    """What is in memory follows the warehouse: `prepare` reads it, `settle` comes after a commit.

    Another gateway may revise the graph meanwhile: each call looks whether one has.
    """

    def __init__(self, settings: IdentitySettings, clock: Clock) -> None:
        self.rules = rules_of(settings)
        self._is_enabled = settings.enabled
        self._clock = clock
        self._guards = Guards(self.rules.max_links_an_hour)
        self._memory = Memory()
        self._pending = Pending(clock)
        self._revisions = 0
        self._ahead: tuple[duckdb.DuckDBPyConnection, Evidence] | None = None
        """What was read before it was taken, and from where."""
        self._untold = Counter[str]()
        """What came of judging between loads."""

    def prepare(self, entries: Entries) -> None:
        """Learn from the graph as it stands."""
        self._learn(entries)
        self._pending.restore(entries)

    def look_ahead(self, staged: duckdb.DuckDBPyConnection) -> None:
        """Read what `take` will be asked to take, beside what is done with the graph's warehouse meanwhile."""
        if self._is_enabled:
            self._ahead = staged, self._read(staged)

    def take(self, staged: duckdb.DuckDBPyConnection, entries: Entries) -> Counter[str]:
        """What `temp.staged` says goes into the graph, or waits for it (see pending.py).

        Returns what was refused and what changed, counted. Where identity is switched off, nothing more is linked.
        """
        if not self._is_enabled:
            return Counter()
        self._follow(entries)
        ahead, self._ahead = self._ahead, None
        evidence = ahead[1] if ahead and ahead[0] is staged else self._read(staged)
        counts = Counter({JUNK: evidence.junk}) if evidence.junk else Counter[str]()
        if self._pending.may_wait(evidence):
            self._pending.add(entries, evidence)
            return counts
        return counts + self._told(self._judge(entries, evidence))

    @property
    def waiting(self) -> int:
        """How many edges are stored and not judged."""
        return self._pending.edges

    @property
    def is_due(self) -> bool:
        """Whether `catch_up` should come now, without a load."""
        return self._pending.is_due

    @property
    def now_us(self) -> int:
        """For what is recorded now."""
        return self._clock.now_ms() * 1000

    def catch_up(self, entries: Entries) -> None:
        """Judge what waits, in whatever gateway; a later load tells what came of it."""
        self._follow(entries)
        entries.lock()
        self._pending.restore(entries)
        self._untold += self._judge(entries, Evidence())

    def revised(self, entries: Entries) -> None:
        """Tell the other gateways, in the same transaction."""
        entries.insert(REVISIONS, {"revised_at": [self.now_us]})
        self._revisions += 1

    def settle(self) -> None:
        """The load was committed."""
        self._memory.settle()
        self._pending.settle()

    def _read(self, staged: duckdb.DuckDBPyConnection) -> Evidence:
        self._memory.begin()
        return evidence_of(staged, self.rules, self._memory)

    def _follow(self, entries: Entries) -> None:
        if entries.count(REVISIONS) != self._revisions:
            self._learn(entries)

    def _learn(self, entries: Entries) -> None:
        self._revisions = entries.count(REVISIONS)
        self._guards = Guards(self.rules.max_links_an_hour)
        self._guards.frozen |= Graph(entries).frozen()
        self._memory = Memory()
        self._ahead = None

    def _told(self, counts: Counter[str]) -> Counter[str]:
        untold, self._untold = self._untold, Counter()
        return counts + untold

    def _judge(self, entries: Entries, evidence: Evidence) -> Counter[str]:
        """This, and what waits, which nobody else may judge from here on."""
        if evidence.edges or self._pending.edges:
            entries.expect_changes()
        evidence = self._pending.take(entries, evidence)
        if not evidence.edges:
            return Counter()
        now_us = self.now_us
        with self._pending.judging():
            graph = Graph(entries)
            changes = resolve(evidence, graph, self.rules, self._guards, now_us)
            graph.write(changes, now_us)
        if changes.frozen:
            self.revised(entries)
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
