"""The tools that are told: one file each, holding frozen settings, a pure `map`, a pure `request`, a pure `classify`.

No I/O, no clock, no change to the event: everything else (batches, retries, rates, metrics, dead letters) is shared
and lives in deliver. Imports model and config.
"""

from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.http_messages import Publication, Record, Request, Response
from gateway.destinations.registry import DESTINATIONS

__all__ = [
    "DESTINATIONS",
    "Destination",
    "Message",
    "Payload",
    "Publication",
    "Record",
    "Request",
    "Response",
    "Sending",
]
