"""Slack's incoming webhooks.

Source: Slack's "Sending messages using incoming webhooks" and "Improving error conditions for Incoming Webhooks": the
body is `ok`, or a word that says what is wrong.
"""

import json
import re
from typing import Any

from gateway.destinations.slack import SLACK
from tests.vendors.simulator import Received, Reply, Simulator

PATH = "/services/T00000000/B00000000/s3cret"
MAX_BLOCKS = 50
MAX_SECTION = 3000


class Slack(Simulator):
    """One channel. It knows no message again, so the messages hold the event's id."""

    kind = SLACK
    required = {
        "messages": [
            {
                "text": "*{{ event }}* of {{ userId }} [{{ messageId }}]",
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*{{ event }}* of {{ userId }}"}}],
            }
        ],
        "requests_per_second": 0,
    }

    @classmethod
    def addressed(cls, base_url: str) -> dict[str, Any]:
        return {"url": base_url + PATH}

    def answer(self, received: Received) -> Reply:
        if received.path != PATH:
            return Reply(404, "no_service")
        try:
            message = json.loads(received.raw)
        except json.JSONDecodeError:
            return Reply(400, "invalid_payload")
        if received.is_poisoned:
            return Reply(400, "invalid_payload")
        if not message.get("text") and not message.get("blocks"):
            return Reply(400, "no_text")
        blocks = message.get("blocks", [])
        if len(blocks) > MAX_BLOCKS or any(len(block["text"]["text"]) > MAX_SECTION for block in blocks):
            return Reply(400, "invalid_blocks")
        return Reply(200, "ok", taken=self.keys(received))

    def keys(self, received: Received) -> list[str]:
        return re.findall(r"\[(msg-\d+)\]", received.body["text"])
