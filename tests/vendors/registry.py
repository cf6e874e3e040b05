"""Every simulated vendor, one line each."""

from tests.vendors.hubspot import HubSpot
from tests.vendors.intercom import Intercom
from tests.vendors.klaviyo import Klaviyo
from tests.vendors.simulator import Simulator
from tests.vendors.webhook import Webhook

SIMULATORS: tuple[type[Simulator], ...] = (HubSpot, Intercom, Klaviyo, Webhook)

WITHOUT_HTTP = ("console", "kafka", "nats")
"""Kinds that have no vendor behind HTTP; their tests have the real thing."""
