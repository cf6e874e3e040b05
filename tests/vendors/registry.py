"""Every simulated vendor, one line each."""

from tests.vendors.braze import Braze
from tests.vendors.customerio import Customerio
from tests.vendors.iterable import Iterable
from tests.vendors.simulator import Simulator
from tests.vendors.webhook import Webhook

SIMULATORS: tuple[type[Simulator], ...] = (
    Braze,
    Customerio,
    Iterable,
    Webhook,
)

WITHOUT_HTTP = ("console", "kafka", "nats")
"""Kinds that have no vendor behind HTTP; their tests have the real thing."""
