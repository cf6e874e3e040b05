"""Connections to brokers, which speak no HTTP: one file each, opened for one worker and closed with it.

A broker's `carry` connects when it first has something to publish, and again after it failed, so that a broker that is
down is trouble of its destination alone. Drivers are imported there, late: they are extras of the package.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any

from gateway.config import DestinationSettings
from gateway.deliver.brokers.link import open_link
from gateway.deliver.transport import Carry
from gateway.destinations.kafka import KafkaSettings
from gateway.destinations.nats import NatsSettings

BROKERS: Mapping[type[DestinationSettings], Callable[[Any], AbstractAsyncContextManager[Carry]]] = {
    KafkaSettings: partial(open_link, "kafka"),
    NatsSettings: partial(open_link, "nats"),
}
"""How each kind of broker is reached, by the kind's settings."""


def open_carry(settings: DestinationSettings, over_http: Carry) -> AbstractAsyncContextManager[Carry]:
    """What carries a destination's requests: the daemon's own HTTP client, unless the kind has a broker."""
    broker = BROKERS.get(type(settings))
    return broker(settings) if broker else nullcontext(over_http)
