"""Every simulated vendor, one line each."""

from tests.vendors.heap import Heap
from tests.vendors.http import Http
from tests.vendors.rudderstack import Rudderstack
from tests.vendors.segment import Segment
from tests.vendors.simulator import Simulator
from tests.vendors.slack import Slack
from tests.vendors.webhook import Webhook

SIMULATORS: tuple[type[Simulator], ...] = (Heap, Http, Rudderstack, Segment, Slack, Webhook)

WITHOUT_HTTP = ("console", "kafka", "nats")
"""Kinds that have no vendor behind HTTP; their tests have the real thing."""
