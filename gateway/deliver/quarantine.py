"""Events that are not as their source's tracking plan has them, and that its owner wants no destination to see.

They are judged on their way to a destination and not at the door: so a plan that is mended lets go what it kept, by
`headwater dead retry` or a replay.
"""

from collections.abc import Collection, Mapping

from gateway.config import TrackingPlanSettings
from gateway.deliver.progress import Unsendable
from gateway.govern import tracking_plan
from gateway.model.envelope import Stored
from gateway.model.event import Event

REASON = "quarantined"
REMEMBERED = 10_000
"""Verdicts, by offset: an event is judged once for all destinations that read at about the same place."""


class Quarantine:
    """The plans of one configuration."""

    def __init__(self, plans: Mapping[str, TrackingPlanSettings] | None = None) -> None:
        found = {name: tracking_plan.compiled(settings) for name, settings in (plans or {}).items()}
        self._plans = {name: plan for name, plan in found.items() if plan is not None and plan.may_quarantine}
        self._known: dict[int, str] = {}

    def concerns(self, sources: Collection[str]) -> bool:
        """Whether it may keep events of these sources; none means of any."""
        return bool(self._plans) and (not sources or not self._plans.keys().isdisjoint(sources))

    def keeps(self, stored: Stored, event: Event) -> Unsendable | None:
        """Why the event goes nowhere, if so."""
        plan = self._plans.get(stored.envelope.source)
        if plan is None:
            return None
        words = self._known.get(stored.offset)
        if words is None:
            violation = plan.violation(event)
            words = violation.words if violation is not None and violation.action == "quarantine" else ""
            self._remember(stored.offset, words)
        return Unsendable(REASON, words) if words else None

    def _remember(self, offset: int, words: str) -> None:
        self._known[offset] = words
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]


NOTHING_KEPT = Quarantine()
