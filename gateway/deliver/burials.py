"""Dead letters, counted for the metrics and told in the log: a line for each reason, at most one a minute."""

import structlog

from gateway.deliver.cursor_name import CursorName
from gateway.model.clock import Clock
from gateway.observe.metrics import Metrics

QUIET_S = 60.0
"""After a line, until the next for the same destination and reason: an endpoint that refuses all would fill the log."""


class Burials:
    """Those of all destinations. What events and their destinations say is not in the log; the letters have it."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._untold: dict[tuple[str, str], int] = {}
        self._quiet_until_s: dict[tuple[str, str], float] = {}

    def note(self, name: CursorName, reason: str, letters: int = 1) -> None:
        """So many letters of a cursor are dead for this reason."""
        self._metrics.dead.labels(name.label, reason).inc(letters)
        key, now_s = (name.label, reason), self._clock.monotonic_s()
        self._untold[key] = self._untold.get(key, 0) + letters
        if now_s < self._quiet_until_s.get(key, now_s):
            return
        self._quiet_until_s[key] = now_s + QUIET_S
        structlog.get_logger().warning(
            "destination.dead_letters",
            destination=name.name,
            reason=reason,
            letters=self._untold.pop(key),
            look=f"headwater dead list --destination {name.name}",
        )
