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

IDLE_GRACE_S = 1.0
"""How long a stopping daemon keeps an idle connection: a client that sends in that time is answered, and told to go."""


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
    date_line: bytes = b""
    """The Date header, renewed every second."""

    def idle_timeout_s(self) -> float:
        """How long a connection that rests now is kept."""
        if self.is_draining:
            return IDLE_GRACE_S
        is_crowded = len(self.connections) * 2 > self.limits.max_connections
        return self.limits.request_timeout_s if is_crowded else KEEP_ALIVE_S
