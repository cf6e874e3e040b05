"""What has an outcome: events finish in any order, but the cursor moves only over a gapless run of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.model.outcome import Delivered
from gateway.queue.records import Letter, Progress

MAX_SPAN = 2000
"""Events in one record, so that its letters stay a bounded transaction."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """Kept back by a rule of the owner, or by a tool that has no counterpart for it."""

    rule: str
    detail: str = ""
    """For the owner who asks about this event."""


@dataclass(frozen=True, slots=True)
class Unsendable:
    """Will never be sent: a dead letter with this reason (of the queue's closed list) and error."""

    reason: str
    error: str


Settled = Delivered | Filtered | Letter
"""What became of one event for good; a letter says whether it is dead or being tried on its own."""


class Outcomes:
    """The outcomes from `next_offset` on: each offset gets exactly one."""

    def __init__(self, next_offset: int) -> None:
        self.next_offset = next_offset
        """The lowest offset without a recorded outcome."""
        self._settled: dict[int, Settled] = {}
        self._parts: dict[int, list[Settled]] = {}

    def settle(self, offset: int, outcome: Settled, parts: int = 1) -> None:
        """Note the outcome of one event, or of one of the `parts` that its outcome is made of."""
        assert offset >= self.next_offset, f"{offset} lies before the cursor"
        assert offset not in self._settled, f"{offset} has an outcome already"
        if parts > 1:
            known = self._parts.setdefault(offset, [])
            known.append(outcome)
            if len(known) < parts:
                return
            outcome = max(self._parts.pop(offset), key=_gravity)
        self._settled[offset] = outcome

    def prefix(self) -> list[Settled]:
        """The gapless run from the cursor on, at most MAX_SPAN; it stays here until `recorded` says it is on disk."""
        run = []
        for offset in range(self.next_offset, self.next_offset + MAX_SPAN):
            outcome = self._settled.get(offset)
            if outcome is None:
                break
            run.append(outcome)
        return run

    def recorded(self, count: int) -> None:
        """The first `count` outcomes are on disk."""
        for offset in range(self.next_offset, self.next_offset + count):
            del self._settled[offset]
        self.next_offset += count


def _gravity(outcome: Settled) -> int:
    """Which part speaks for its event: one that is still tried, else one that is dead, else one that arrived."""
    if isinstance(outcome, Letter):
        return 3 if outcome.state == "retry" else 2
    return isinstance(outcome, Delivered)


def progress(next_offset: int, outcomes: Sequence[Settled]) -> Progress:
    """The outcomes of consecutive events, summed for the queue; `next_offset` follows the last of them."""
    return Progress(
        next_offset,
        delivered=sum(isinstance(outcome, Delivered) for outcome in outcomes),
        filtered=sum(isinstance(outcome, Filtered) for outcome in outcomes),
        letters=[outcome for outcome in outcomes if isinstance(outcome, Letter)],
    )
