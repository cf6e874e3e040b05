"""One answer for every event of a request: a refused batch is asked again by halves until the culprits stand alone."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

T = TypeVar("T")

Verdict = Delivered | Retry | Reject | Halt
"""The outcome of one event."""


async def isolate(
    items: Sequence[T], outcome: Outcome, send: Callable[[Sequence[T]], Awaitable[Outcome]]
) -> list[Verdict]:
    """One verdict for each of `items`, given the outcome of the request that held them all.

    Halves are sent in order, and the second one only when all of the first has a final answer: a person's later event
    never overtakes an earlier one that is to be sent again.
    """
    if isinstance(outcome, Partial):
        verdicts: list[Verdict] = list(outcome.items)
    elif isinstance(outcome, Reject) and len(items) > 1:
        verdicts = await _halve(items, send)
    else:
        verdicts = [outcome] * len(items)
    assert len(verdicts) == len(items), "every event has exactly one outcome"
    return verdicts


async def _halve(items: Sequence[T], send: Callable[[Sequence[T]], Awaitable[Outcome]]) -> list[Verdict]:
    middle = len(items) // 2
    first, second = items[:middle], items[middle:]
    verdicts = await isolate(first, await send(first), send)
    unfinished = next((verdict for verdict in verdicts if isinstance(verdict, Retry | Halt)), None)
    if unfinished is not None:
        return verdicts + [unfinished] * len(second)
    return verdicts + await isolate(second, await send(second), send)
