"""Every metric of the daemon. docs/metrics.md explains them; a test compares the two.

Base units (seconds, bytes), `_total` for counters. Labels come from the configuration and from closed lists in the
code, never from what clients send.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

COMMIT_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
SEND_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
COUNT_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


class Metrics:
    """The metrics of one daemon, in a registry of its own."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        build = self._gauge("build_info", "Version of the running gateway; always 1.", "version")
        build.labels(version).set(1)
        self._collect()
        self._queue()
        self._deliver()
        self._waiting()
        self._warehouses()

    def _collect(self) -> None:
        self.requests = self._counter("requests", "HTTP requests answered by the public listener.", "route", "status")
        self.accepted = self._counter("events_accepted", "Events committed to the queue.", "source")
        self.duplicates = self._counter("events_duplicate", "Events acknowledged but not stored again.", "source")
        self.rejected = self._counter("events_rejected", "Events refused, with the reason.", "source", "reason")
        self.withheld = self._counter(
            "events_withheld",
            "Events that were answered and not stored: by a person's choice, the owner's plan, or as a program's.",
            *("source", "reason"),
        )
        self.plan_violations = self._counter(
            "plan_violations", "Events that are not as the source's tracking plan has them.", "source", "kind"
        )
        self.repaired = self._counter("events_repaired", "Events whose JSON was repaired at intake.", "source")
        self.oversize = self._counter("events_oversize", "Events above the nominal 32 KB, accepted.", "source")
        self.in_flight_bytes = self._gauge("request_bytes_in_flight", "Request bodies held in memory.")

    def _queue(self) -> None:
        self.commit_seconds = self._histogram("queue_commit_seconds", "Time of one commit to disk.", COMMIT_BUCKETS)
        self.commit_events = self._histogram("queue_commit_events", "Events in one commit.", COUNT_BUCKETS)
        self.commit_failures = self._counter("queue_commit_failures", "Commits that the disk refused.")
        self.head_offset = self._gauge("queue_head_offset", "Offset that the next accepted event gets.")
        self.queue_bytes = self._gauge("queue_bytes", "Size of the queue's files.")
        self.queue_free_bytes = self._gauge("queue_disk_free_bytes", "Free space on the queue's disk.")
        self.queue_seconds_to_full = self._gauge(
            "queue_seconds_to_full", "Time until the byte budget is used up at the present rate; +Inf while it shrinks."
        )
        self.queue_events = self._gauge("queue_events", "Events in the queue, delivered ones under retention included.")
        self.queue_oldest_seconds = self._gauge("queue_oldest_event_seconds", "Age of the oldest event in the queue.")
        self.queue_writable = self._gauge("queue_writable", "1 when new events are taken, 0 when they are refused.")
        self.queue_salvages = self._counter("queue_salvages", "Times a damaged queue was set aside and salvaged.")
        self.removed = self._counter("queue_events_removed", "Events removed by retention after delivery.")

        self.forget_orders = self._gauge("forget_orders", "Orders to forget a person that are not finished.")

    def _deliver(self) -> None:
        self.delivered = self._counter("destination_delivered", "Events that the destination has.", "destination")
        self.retried = self._counter(
            "destination_retried", "Events sent again after a temporary failure.", "destination"
        )
        self.dead = self._counter("destination_dead", "Events moved to the dead letters.", "destination", "reason")
        self.filtered = self._counter(
            "destination_filtered", "Events that a rule of the owner kept back.", "destination", "rule"
        )
        self.requests_sent = self._counter("destination_requests", "Sends by outcome.", "destination", "outcome")
        self.send_seconds = self._histogram(
            "destination_send_seconds", "Time of one send.", SEND_BUCKETS, "destination"
        )
        self.lag_events = self._gauge("destination_lag_events", "Events not yet delivered.", "destination")
        self.lag_seconds = self._gauge("destination_lag_seconds", "Age of the oldest undelivered event.", "destination")
        self.breaker_state = self._gauge("destination_breaker_state", "0 closed, 1 half open, 2 open.", "destination")
        self.paused = self._gauge("destination_paused", "1 while the destination waits for its owner.", "destination")
        self.transforms_unavailable = self._gauge(
            "destination_transforms_unavailable", "1 while its events wait for transforms to load.", "destination"
        )
        self.message_repairs = self._counter(
            "destination_message_repairs",
            "Changes that made an event fit what the destination takes.",
            "destination",
            "reason",
        )

    def _waiting(self) -> None:
        self.hot_lanes = self._counter(
            "destination_hot_lane_events", "Events sent without the order guarantee.", "destination"
        )
        self.hold_joined = self._counter(
            "hold_joined", "Events without a user that were given the one seen on their device.", "destination"
        )
        self.hold_released_early = self._counter(
            "hold_released_early", "Held events sent before their time because the window was full.", "destination"
        )
        self.stitch_joined = self._counter(
            "stitch_joined", "Events without a user that were given the one whom the warehouse knows.", "destination"
        )
        self.stitch_unanswered = self._counter(
            "stitch_unanswered", "Events without a user that left before the warehouse answered.", "destination"
        )
        self.unaccounted = self._gauge(
            "ledger_unaccounted_events", "Events that the ledger cannot account for; always 0.", "destination"
        )
        self.dead_letters = self._gauge("dead_letters", "Dead letters kept on disk.", "destination")

    def _warehouses(self) -> None:
        self.loaded_rows = self._counter("warehouse_rows", "Events stored by the warehouse.", "destination")
        self.load_duplicates = self._counter(
            "warehouse_duplicates", "Events that the warehouse had already.", "destination"
        )
        self.load_seconds = self._histogram("warehouse_load_seconds", "Time of one load.", SEND_BUCKETS, "destination")
        self.schema_warnings = self._counter(
            "warehouse_schema_warnings", "Values kept in _extra.", "destination", "reason"
        )
        self.identity = self._counter(
            "identity_outcomes",
            "Links between identifiers that were refused, and what happened to persons.",
            *("destination", "outcome"),
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"headwater_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"headwater_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"headwater_{name}", text, labels, registry=self.registry, buckets=buckets)
