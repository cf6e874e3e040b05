"""What may be kept, of whom, and who may be told: pure rules that may drop an event or change it, before it reaches the
disk or on its way to a destination.

What always holds: a rule sees an event's facts and says what follows; it does no I/O and knows no clock. What it drops
is counted by whoever asks. May import model and config.
"""

from gateway.govern.belonging import Belonging, of_bare_value, together
from gateway.govern.consent import (
    ANALYTICS,
    MARKETING,
    ConsentRules,
    Preferences,
    agrees,
    is_refusal,
    may_keep,
    understood,
    with_opt_out,
)
from gateway.govern.privacy import Privacy
from gateway.govern.suppression import KEY_BYTES, MAX_DIGESTS, Suppression, suppressed_by
from gateway.govern.tracking_plan import TrackingPlan

__all__ = [
    "ANALYTICS",
    "KEY_BYTES",
    "MARKETING",
    "MAX_DIGESTS",
    "Belonging",
    "ConsentRules",
    "Preferences",
    "Privacy",
    "Suppression",
    "TrackingPlan",
    "agrees",
    "is_refusal",
    "may_keep",
    "of_bare_value",
    "suppressed_by",
    "together",
    "understood",
    "with_opt_out",
]
