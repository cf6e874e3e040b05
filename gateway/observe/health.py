"""Whether the daemon is alive, and whether it may take traffic: named checks that give a reason or nothing."""

from collections.abc import Callable, Mapping
from typing import Literal

from gateway.model.clock import Clock

Check = Callable[[], str]
"""Cheap and without I/O: empty while all is well, else the trouble in words."""

Phase = Literal["starting", "running", "stopping"]


class Health:
    """The daemon's checks by name. What is not alive is not ready either."""

    def __init__(self) -> None:
        self.phase: Phase = "starting"
        self._alive: dict[str, Check] = {}
        self._ready: dict[str, Check] = {"daemon": self._describe_phase}

    def require_alive(self, name: str, check: Check) -> None:
        """A failure of `check` means that only a restart helps."""
        self._alive[name] = check

    def require_ready(self, name: str, check: Check) -> None:
        """A failure of `check` means that traffic should go elsewhere for now."""
        self._ready[name] = check

    def not_alive(self) -> dict[str, str]:
        """The reasons by the name of their check; empty when alive."""
        return _failing(self._alive)

    def not_ready(self) -> dict[str, str]:
        """The reasons by the name of their check; empty when ready."""
        return _failing(self._alive) | _failing(self._ready)

    def _describe_phase(self) -> str:
        return "" if self.phase == "running" else f"the daemon is {self.phase}"


class Heartbeat:
    """Beaten by a loop that must not stop; a check once it has been silent for `limit_s`."""

    def __init__(self, clock: Clock, limit_s: float, owner: str) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._owner = owner
        self._beaten_at_s = clock.monotonic_s()

    def beat(self) -> None:
        self._beaten_at_s = self._clock.monotonic_s()

    def check(self) -> str:
        """A Check."""
        silent_s = self._clock.monotonic_s() - self._beaten_at_s
        return f"{self._owner} has been silent for {silent_s:.0f} s" if silent_s > self._limit_s else ""


def _failing(checks: Mapping[str, Check]) -> dict[str, str]:
    return {name: reason for name, check in checks.items() if (reason := check())}
