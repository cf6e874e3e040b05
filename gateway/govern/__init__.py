"""What may be kept, and of whom: pure rules that may drop an event or change it, before it reaches the disk.

What always holds: a rule sees an event's facts and says what follows; it does no I/O and knows no clock. What it drops
is counted by whoever asks. May import model and config.
"""

from gateway.govern.belonging import Belonging, of_bare_value, together
from gateway.govern.consent import MARKETING, ConsentRules, Preferences, may_keep, with_opt_out
from gateway.govern.suppression import KEY_BYTES, MAX_DIGESTS, Suppression, suppressed_by

__all__ = [
    "KEY_BYTES",
    "MARKETING",
    "MAX_DIGESTS",
    "Belonging",
    "ConsentRules",
    "Preferences",
    "Suppression",
    "may_keep",
    "of_bare_value",
    "suppressed_by",
    "together",
    "with_opt_out",
]
