"""When to try again: pure, because the answer is kept in the queue and outlives the process."""

import random

from gateway.config import RetrySettings

RETRY_AFTER_CAP_S = 3600.0
"""The longest Retry-After that is believed, unless the owner's own max_delay is longer."""

PAUSED_DELAY_S = 900.0
"""How often a paused destination is asked whether its owner has acted, unless max_delay is longer."""

_MAX_DOUBLINGS = 62


def retry_delay_s(attempt: int, policy: RetrySettings, rng: random.Random, after_s: float | None = None) -> float:
    """Seconds until the next try, after `attempt` failures in a row (1 is the first).

    Exponential with full jitter: anything between zero and min(max_delay, first_delay * 2 ** (attempt - 1)), so that
    what failed together does not come back together. The peer's Retry-After, `after_s`, is a lower bound, itself
    capped at the larger of max_delay and RETRY_AFTER_CAP_S.
    """
    ceiling_s = min(policy.max_delay, policy.first_delay * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS))
    jittered_s = rng.uniform(0, ceiling_s)
    return jittered_s if after_s is None else max(jittered_s, min(after_s, max(policy.max_delay, RETRY_AFTER_CAP_S)))


def paused_delay_s(attempt: int, policy: RetrySettings, rng: random.Random) -> float:
    """Seconds until a destination that refused our credentials is asked again.

    Soon after the first refusal, so that another event can show whether it was about the event; then rarely.
    """
    return retry_delay_s(attempt, policy, rng) if attempt <= 1 else max(policy.max_delay, PAUSED_DELAY_S)
