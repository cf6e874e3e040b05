"""Every kind of destination, one line each."""

from typing import Any

from gateway.destinations.amplitude import AMPLITUDE
from gateway.destinations.braze import BRAZE
from gateway.destinations.console import CONSOLE
from gateway.destinations.contract import Destination
from gateway.destinations.customerio import CUSTOMERIO
from gateway.destinations.ga4 import GA4
from gateway.destinations.google_ads import GOOGLE_ADS
from gateway.destinations.heap import HEAP
from gateway.destinations.http import HTTP
from gateway.destinations.hubspot import HUBSPOT
from gateway.destinations.intercom import INTERCOM
from gateway.destinations.iterable import ITERABLE
from gateway.destinations.kafka import KAFKA
from gateway.destinations.klaviyo import KLAVIYO
from gateway.destinations.linkedin import LINKEDIN
from gateway.destinations.meta import META
from gateway.destinations.mixpanel import MIXPANEL
from gateway.destinations.nats import NATS
from gateway.destinations.pinterest import PINTEREST
from gateway.destinations.posthog import POSTHOG
from gateway.destinations.reddit import REDDIT
from gateway.destinations.rudderstack import RUDDERSTACK
from gateway.destinations.segment import SEGMENT
from gateway.destinations.slack import SLACK
from gateway.destinations.snapchat import SNAPCHAT
from gateway.destinations.tiktok import TIKTOK
from gateway.destinations.webhook import WEBHOOK

DESTINATIONS: tuple[Destination[Any], ...] = (
    AMPLITUDE,
    BRAZE,
    CONSOLE,
    CUSTOMERIO,
    GA4,
    GOOGLE_ADS,
    HEAP,
    HTTP,
    HUBSPOT,
    INTERCOM,
    ITERABLE,
    KAFKA,
    KLAVIYO,
    LINKEDIN,
    META,
    MIXPANEL,
    NATS,
    PINTEREST,
    POSTHOG,
    REDDIT,
    RUDDERSTACK,
    SEGMENT,
    SLACK,
    SNAPCHAT,
    TIKTOK,
    WEBHOOK,
)
