"""Rate limits as token buckets on a clock that is handed in."""

from dataclasses import dataclass, field

from gateway.config import DestinationSettings


@dataclass(slots=True)
class TokenBucket:
    """`per_second` on average, one second's worth at once; zero means no limit.

    A send starts once there is one token and may leave a debt, so that a batch larger than a second's worth still goes;
    the next one waits until the debt is paid, and the average holds.
    """

    per_second: float
    _tokens: float = field(init=False)
    _filled_at_s: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._tokens = self._capacity

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next send may start; zero when it may now."""
        if not self.per_second:
            return 0.0
        self._fill(now_s)
        return max(0.0, 1.0 - self._tokens) / self.per_second

    def spend(self, now_s: float, amount: int) -> None:
        """Take `amount` tokens, into debt if need be."""
        if self.per_second:
            self._fill(now_s)
            self._tokens -= amount

    @property
    def _capacity(self) -> float:
        return max(1.0, self.per_second)

    def _fill(self, now_s: float) -> None:
        elapsed_s = max(0.0, now_s - self._filled_at_s)
        self._tokens = min(self._capacity, self._tokens + elapsed_s * self.per_second)
        self._filled_at_s = now_s


class SendRate:
    """The two limits of a destination. Its replays share them, for the vendor counts them together."""

    def __init__(self, settings: DestinationSettings) -> None:
        self._events = TokenBucket(settings.events_per_second)
        self._requests = TokenBucket(settings.requests_per_second)

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next request may start."""
        return max(self._events.wait_s(now_s), self._requests.wait_s(now_s))

    def spend(self, now_s: float, events: int) -> None:
        """Note one request with `events` events in it."""
        self._events.spend(now_s, events)
        self._requests.spend(now_s, 1)
