"""An archive that has kept events for days, as the gateway that kept them wrote it."""

from typing import Any

from gateway.model.clock import SystemClock
from gateway.model.envelope import Envelope
from gateway.warehouses.archive import ArchiveSettings, open_archive
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, batch_of

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
FIRST_DAY = "2025-11-25"


def tracks(first: int, count: int, **fields: Any) -> list[dict[str, Any]]:
    return [
        {
            "type": "track",
            "event": "Paid",
            "messageId": f"m{n}",
            "userId": f"u{n % 7}",
            "properties": {"n": n},
            **fields,
        }
        for n in range(first, first + count)
    ]


async def keep(settings: ArchiveSettings, events: list[Any], envelope: Envelope, first_offset: int) -> None:
    """One load of the archive, of the queue `log`."""
    async with open_archive(settings, SystemClock()) as archive:
        await archive.load([batch_of(events, envelope, first_offset)], "log", first_offset + len(events))


async def keep_days(settings: ArchiveSettings, days: int, a_day: int, source: str = "web", first: int = 0) -> None:
    """`a_day` events on each day, from FIRST_DAY 05:00 on; ids go on from `m{first}`."""
    for day in range(days):
        number = first + day * a_day
        await keep(settings, tracks(number, a_day), Envelope(source, RECEIVED_AT_MS + day * DAY_MS), number)
