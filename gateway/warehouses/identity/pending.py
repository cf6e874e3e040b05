"""Evidence that waits to be judged, so that judging takes no more than a small part of the time.

To judge has a price for each time, which grows with the graph: its columns are read through. What it costs for each
link is little. What waits is stored in the transaction of its rows, so it is judged once, whatever happens meanwhile.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gateway.identity import Claim, Evidence, Link
from gateway.model.clock import Clock
from gateway.model.person import ANONYMOUS_ID
from gateway.warehouses.identity.entries import Entries
from gateway.warehouses.identity.evidence import GROUP
from gateway.warehouses.identity.rows import EDGE, edge_columns, link_of
from gateway.warehouses.identity.tables import PENDING

ENOUGH_EDGES = 20_000
"""So many are judged at once, however long it takes."""
REST = 20
"""Judging is followed by a rest, so many times as long."""
LONGEST_REST_S = 30.0


class Pending:
    """How much waits, and until when. It follows the file: `settle` comes after a commit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._edges = 0
        self._after = 0
        self._rest_until_s = 0.0

    @property
    def edges(self) -> int:
        """How many wait."""
        return self._edges

    @property
    def is_due(self) -> bool:
        """Whether some wait that need not wait any longer."""
        return self._edges > 0 and self._clock.monotonic_s() >= self._rest_until_s

    def restore(self, entries: Entries) -> None:
        """What the process before did not come to judge, or another gateway has left."""
        self._edges = len(entries.read(PENDING, ("us",)))
        self._after = self._edges

    def may_wait(self, evidence: Evidence) -> bool:
        """Whether it is to be judged later."""
        is_resting = self._clock.monotonic_s() < self._rest_until_s
        return is_resting and self._edges + evidence.edges < ENOUGH_EDGES

    @contextmanager
    def judging(self) -> Iterator[None]:
        """What this takes decides how long the next may wait."""
        began_s = self._clock.monotonic_s()
        yield
        now_s = self._clock.monotonic_s()
        self._rest_until_s = now_s + min(LONGEST_REST_S, REST * (now_s - began_s))

    def add(self, entries: Entries, evidence: Evidence) -> None:
        """Let it wait."""
        edges: Sequence[Claim | Link] = (*evidence.claims, *evidence.links, *evidence.memberships)
        self._after = self._edges + len(edges)
        if edges:
            entries.lock()
            entries.insert(PENDING, edge_columns(edges))

    def take(self, entries: Entries, evidence: Evidence) -> Evidence:
        """What waits, and this with it; nothing waits any more."""
        self._after = 0
        if not self._edges:
            return evidence
        rows = entries.read(PENDING, EDGE)
        entries.clear(PENDING)
        claims, links, memberships = list(evidence.claims), list(evidence.links), list(evidence.memberships)
        for edge in map(link_of, rows):
            if edge.right.type == ANONYMOUS_ID:
                claims.append(Claim(edge.right.value, edge.left, edge.at, edge.cause))
            else:
                (memberships if edge.cause == GROUP else links).append(edge)
        return Evidence(claims, links, memberships, evidence.junk)

    def settle(self) -> None:
        """The load was committed."""
        self._edges = self._after
