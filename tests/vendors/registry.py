"""Every simulated vendor, one line each."""

from tests.vendors.ga4 import Ga4
from tests.vendors.google_ads import DataManager, GoogleAds
from tests.vendors.simulator import Simulator
from tests.vendors.webhook import Webhook

SIMULATORS: tuple[type[Simulator], ...] = (Ga4, DataManager, GoogleAds, Webhook)

WITHOUT_HTTP = ("console", "kafka", "nats")
"""Kinds that have no vendor behind HTTP; their tests have the real thing."""
