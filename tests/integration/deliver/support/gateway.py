"""A running delivery, as a test sees it."""

import json
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from gateway.config import RetrySettings
from gateway.deliver.delivery import Delivery
from gateway.deliver.status import DestinationStatus
from gateway.destinations.webhook import WebhookSettings
from gateway.model.clock import SystemClock
from gateway.model.envelope import Envelope
from gateway.observe.metrics import Metrics
from gateway.queue import Queue

FAST = RetrySettings(first_delay=0.02, max_delay=0.1)


async def put(queue: Queue, source: str, raws: Sequence[bytes]) -> None:
    """Store events as they are, received now, each as a new one whatever id it carries."""
    envelope = Envelope(source, SystemClock().now_ms())
    await queue.submit(envelope, [uuid.uuid4().hex for _ in raws], raws)


@dataclass
class Gateway:
    """Delivery and the queue that it reads."""

    queue: Queue
    delivery: Delivery
    metrics: Metrics
    sent: int = 0

    async def send(self, count: int, source: str = "web", people: int = 7) -> list[str]:
        """Put events into the queue; the answer is their message ids."""
        numbers = range(self.sent, self.sent + count)
        self.sent += count
        raws = [
            json.dumps({"messageId": f"m{n}", "type": "track", "event": "E", "userId": f"u{n % people}"}).encode()
            for n in numbers
        ]
        await put(self.queue, source, raws)
        return [f"m{n}" for n in numbers]

    def status(self, name: str) -> DestinationStatus:
        return next(status for status in self.delivery.status() if status.name == name)

    def sample(self, name: str, **labels: str) -> float | None:
        """The value of a metric."""
        return self.metrics.registry.get_sample_value(f"headwater_{name}", labels)

    async def ledger(self, name: str) -> dict[str, int]:
        """The counts of a destination's cursor that are not zero; they must add up."""
        cursor = next(cursor for cursor in await self.queue.cursors() if cursor.destination == name)
        counts = Counter(
            delivered=cursor.delivered, dead=cursor.dead, filtered=cursor.filtered, retrying=cursor.retrying
        )
        assert counts.total() == cursor.next_offset - cursor.start_offset
        return dict(+counts)

    async def letters(self, name: str) -> list[tuple[str, str, str]]:
        """(message id, state, reason) of each letter."""
        letters = await self.queue.letters(name, None, 0, 1000)
        return [(letter.message_id, letter.state, letter.reason) for letter in letters]


Run = Callable[..., AbstractAsyncContextManager[Gateway]]
Eventually = Callable[[Callable[[], Any]], Awaitable[None]]
MakeWebhook = Callable[..., WebhookSettings]
