"""A clock by which judging always takes long, so that what comes after it waits."""

from gateway.model.clock import SystemClock


class SlowMachine(SystemClock):
    """A second passes whenever it is looked at."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def monotonic_s(self) -> float:
        self._now_s += 1
        return self._now_s

    def advance(self, seconds: float) -> None:
        self._now_s += seconds
