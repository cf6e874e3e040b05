"""The SDKs of Segment and RudderStack, and in what they differ."""

from dataclasses import dataclass

from tests.e2e.sdks.harness.drivers import Driver
from tests.e2e.sdks.harness.versions import version

IN_BATCHES = {
    "integrations": {"Segment.io": {"deliveryStrategy": {"strategy": "batching", "config": {"timeout": 200}}}}
}
RUDDER_IN_BATCHES = {"queueOptions": {"batch": {"enabled": True, "flushInterval": 200}}}
BY_BEACON = {"useBeacon": True, "beaconQueueOptions": {"flushQueueInterval": 200}}


@dataclass(frozen=True)
class Sdk:
    """One of them, in one mode."""

    driver: Driver
    package: str
    library: str
    """What its events call it."""
    channel: str | None = None

    @property
    def in_browser(self) -> bool:
        return self.driver.runs_in_a_browser

    @property
    def version(self) -> str:
        return version(self.package)

    @property
    def by_rudderstack(self) -> bool:
        return "rudder" in self.package

    @property
    def has_screens(self) -> bool:
        return not (self.in_browser and self.by_rudderstack)

    @property
    def keeps_the_call_as_original_timestamp(self) -> bool:
        """Where an event is given a time, that of the call travels beside it."""
        return self.package == "@rudderstack/rudder-sdk-node"

    @property
    def rows_of_a_visit(self) -> dict[str, int]:
        """How many rows each table gets of the story."""
        return {
            "tracks": 3 if self.in_browser else 2,
            "pages": 1,
            "screens": 1 if self.has_screens else 0,
            "identifies": 1,
            "groups": 1,
            "aliases": 1,
            "order_completed": 1,
            "product_viewed": 1,
        }


def segment_js(name: str, options: dict[str, object] | None = None) -> Sdk:
    driver = Driver(name, "browser/segment-analytics-next.js", options or {})
    return Sdk(driver, "@segment/analytics-next", "analytics.js")


def rudder_js(name: str, options: dict[str, object] | None = None) -> Sdk:
    driver = Driver(name, "browser/rudder-analytics-js.js", options or {})
    return Sdk(driver, "@rudderstack/analytics-js", "RudderLabs JavaScript SDK", "web")


def rudder_node(name: str, *, gzip: bool) -> Sdk:
    driver = Driver(name, "node/rudder-sdk-node.mjs", {"gzip": gzip})
    return Sdk(driver, "@rudderstack/rudder-sdk-node", "analytics-node", "server")


def segment_python(name: str, *, gzip: bool) -> Sdk:
    driver = Driver(name, "python/client.py", {"package": "segment.analytics", "gzip": gzip})
    return Sdk(driver, "segment-analytics-python", "analytics-python")


def rudder_python(name: str, *, gzip: bool) -> Sdk:
    driver = Driver(name, "python/client.py", {"package": "rudderstack.analytics", "gzip": gzip})
    return Sdk(driver, "rudder-sdk-python", "analytics-python", "server")


SDKS = [
    segment_js("analytics_next"),
    segment_js("analytics_next_batching", IN_BATCHES),
    Sdk(Driver("analytics_next_1_70", "browser/segment-analytics-next-1.70.js"), "analytics-next-1.70", "analytics.js"),
    Sdk(
        Driver("segment_node", "node/segment-analytics-node.mjs"), "@segment/analytics-node", "@segment/analytics-node"
    ),
    Sdk(Driver("analytics_node", "node/analytics-node.mjs"), "analytics-node", "analytics-node"),
    segment_python("segment_python", gzip=False),
    segment_python("segment_python_gzip", gzip=True),
    rudder_js("rudder_js"),
    rudder_js("rudder_js_batch", RUDDER_IN_BATCHES),
    rudder_js("rudder_js_beacon", BY_BEACON),
    Sdk(Driver("rudder_js_2", "browser/rudder-sdk-js.js"), "rudder-sdk-js", "RudderLabs JavaScript SDK", "web"),
    rudder_node("rudder_node", gzip=True),
    rudder_node("rudder_node_plain", gzip=False),
    rudder_python("rudder_python", gzip=True),
    rudder_python("rudder_python_plain", gzip=False),
]
