"""Every simulated vendor, one line each."""

from tests.vendors.amplitude import Amplitude
from tests.vendors.mixpanel import Mixpanel
from tests.vendors.posthog import Posthog
from tests.vendors.simulator import Simulator
from tests.vendors.webhook import Webhook

SIMULATORS: tuple[type[Simulator], ...] = (
    Amplitude,
    Mixpanel,
    Posthog,
    Webhook,
)

WITHOUT_HTTP = ("console", "kafka", "nats")
"""Kinds that have no vendor behind HTTP; their tests have the real thing."""
