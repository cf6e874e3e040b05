"""RudderStack's data plane.

Source: RudderStack's "HTTP API", and the words and statuses in gateway/response/response.go of rudder-server.
"""

import base64

from gateway.destinations.rudderstack import RUDDERSTACK
from tests.vendors.simulator import Received, Reply, Simulator

MAX_REQUEST_BYTES = 4000 * 1024
CHANNELS = {"mobile", "web", "server", "sources"}
CREDENTIALS = "Basic " + base64.b64encode(b"s3cret-key:").decode()


class Rudderstack(Simulator):
    """One source. What it takes it takes whole."""

    kind = RUDDERSTACK
    required = {"write_key": "s3cret-key"}
    refuses = False

    def answer(self, received: Received) -> Reply:
        if (received.method, received.path) != ("POST", "/v1/batch"):
            return Reply(404, "404 page not found")
        if received.headers.get("authorization") != CREDENTIALS:
            return Reply(401, "Invalid Write Key")
        if len(received.raw) > MAX_REQUEST_BYTES:
            return Reply(413, "Request size exceeds max limit")
        events = received.body["batch"]
        if any(not (event.get("userId") or event.get("anonymousId")) for event in events):
            return Reply(400, "Request neither has anonymousId nor userId")
        if any(event.get("channel") not in CHANNELS for event in events):
            return Reply(400, "Event is not a valid rudder event")
        return Reply(200, "OK", taken=self.keys(received))

    def keys(self, received: Received) -> list[str]:
        return [event["messageId"] for event in received.body["batch"]]
