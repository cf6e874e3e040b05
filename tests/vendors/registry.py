"""Every simulated vendor, one line each."""

from tests.vendors.amplitude import Amplitude
from tests.vendors.braze import Braze
from tests.vendors.customerio import Customerio
from tests.vendors.ga4 import Ga4
from tests.vendors.google_ads import DataManager, GoogleAds
from tests.vendors.heap import Heap
from tests.vendors.http import Http
from tests.vendors.hubspot import HubSpot
from tests.vendors.intercom import Intercom
from tests.vendors.iterable import Iterable
from tests.vendors.klaviyo import Klaviyo
from tests.vendors.linkedin import LinkedIn
from tests.vendors.meta import Meta
from tests.vendors.mixpanel import Mixpanel
from tests.vendors.pinterest import Pinterest
from tests.vendors.posthog import Posthog
from tests.vendors.reddit import Reddit
from tests.vendors.rudderstack import Rudderstack
from tests.vendors.segment import Segment
from tests.vendors.simulator import Simulator
from tests.vendors.slack import Slack
from tests.vendors.snapchat import Snapchat
from tests.vendors.tiktok import Tiktok
from tests.vendors.webhook import Webhook

SIMULATORS: tuple[type[Simulator], ...] = (
    Amplitude,
    Braze,
    Customerio,
    Ga4,
    DataManager,
    GoogleAds,
    Heap,
    Http,
    HubSpot,
    Intercom,
    Iterable,
    Klaviyo,
    LinkedIn,
    Meta,
    Mixpanel,
    Pinterest,
    Posthog,
    Reddit,
    Rudderstack,
    Segment,
    Slack,
    Snapchat,
    Tiktok,
    Webhook,
)

WITHOUT_HTTP = ("console", "kafka", "nats")
"""Kinds that have no vendor behind HTTP; their tests have the real thing."""
