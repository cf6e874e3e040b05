"""How long what failed is tried, and how long others wait for it. Pure; times in milliseconds since the epoch."""

from gateway.config import RetrySettings
from gateway.deliver.breaker import Breaker
from gateway.deliver.lanes import Parcel
from gateway.model.envelope import Stored


def is_past_horizon(
    stored: Stored, failing_since_ms: int, breaker: Breaker, policy: RetrySettings, now_ms: int
) -> bool:
    """Whether the event failed for longer than the owner wants it tried.

    While the destination as a whole is down that counts from when it went down, or from when the event came, if later;
    so it means the same after a restart. A paused destination waits for its owner, however long.
    """
    if breaker.paused:
        return False
    since_ms = breaker.failing_since_ms if breaker.state != "closed" else failing_since_ms
    return now_ms - max(since_ms, stored.envelope.received_at_ms) > policy.horizon * 1000


def order_wait_left_s(parcel: Parcel, breaker: Breaker, policy: RetrySettings, now_ms: int) -> float | None:
    """How much longer people wait for this parcel; None while the destination fails for everybody.

    The wait runs only while the destination takes other events: an outage is nobody's poison.
    """
    if not works_for_others(breaker, parcel.failing_since_ms):
        return None
    since_ms = max(parcel.failing_since_ms, breaker.well_since_ms)
    return max(0.0, policy.order_wait - (now_ms - since_ms) / 1000)


def works_for_others(breaker: Breaker, since_ms: int) -> bool:
    """Whether the destination is well and took something since then."""
    return breaker.state == "closed" and breaker.last_success_ms > since_ms
