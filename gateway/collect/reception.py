"""What all connections of the public listener share: its limits, its totals, and where requests go."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.collect.exchange import CountedRoute, Exchange
from gateway.model.clock import Clock

if TYPE_CHECKING:
    from gateway.collect.connection import Connection


class ConnectionLimits(NamedTuple):
    """Bounds on what a client can make us hold or wait for."""

    max_body_bytes: int
    max_in_flight_bytes: int
    max_connections: int
    request_timeout_s: float
    """For the head and for the body, each."""
    ack_timeout_s: float


KEEP_ALIVE_S = 620.0
"""Longer than the load balancers in front keep theirs: who closes first should be the one who knows of no request."""


@dataclass(slots=True)
class Reception:
    """One for each daemon."""

    limits: ConnectionLimits
    clock: Clock
    handle: Callable[[Exchange], None]
    """Answers a request, now or later."""
    malformed: CountedRoute
    """Where answers are counted that no route gave."""
    connections: "set[Connection]" = field(default_factory=set)
    in_flight_bytes: int = 0
    """What connections hold of requests that are not answered."""
    is_draining: bool = False
    keep_alive_s: float = KEEP_ALIVE_S
    """How long an idle connection is kept."""
    date_line: bytes = b""
    """The Date header, renewed every second."""
