"""Where a warehouse really stands: its own cursor is the truth, for it was committed with the rows."""

from dataclasses import replace

import structlog

from gateway.deliver.prepare import UNREADABLE
from gateway.deliver.spans import Span
from gateway.deliver.taking import Taking
from gateway.queue import Queue
from gateway.queue.records import Cursor

_RECOUNT_EVENTS = 5000
_RECOUNT_BYTES = 8 * 2**20


async def reconcile(queue: Queue, cursor: Cursor, stored_offset: int | None, taking: Taking) -> Cursor:
    """The queue's cursor after it was brought to `stored_offset`, the warehouse's own; None before its first load.

    A warehouse that is new, deleted or restored from a backup is loaded again from there, as far back as events are
    kept; it knows what it has by id. One that is ahead committed rows whose outcome was not recorded any more: they are
    counted, not loaded again.
    """
    log = structlog.get_logger().bind(destination=cursor.destination, cursor=cursor.next_offset, stored=stored_offset)
    if stored_offset is None:
        start_offset = queue.first_offset if cursor.end_offset is None else cursor.start_offset
        if start_offset == cursor.next_offset:
            return cursor
        log.info("warehouse.new", start=start_offset)
        return await queue.rewind(cursor.destination, start_offset)
    if stored_offset < cursor.next_offset:
        start_offset = max(stored_offset, queue.first_offset)
        log.warning("warehouse.behind", start=start_offset, lost=start_offset - stored_offset)
        return await queue.rewind(cursor.destination, start_offset)
    if stored_offset > queue.head_offset:
        log.error("warehouse.ahead_of_queue", hint="the queue was restored from a backup; its events are loaded by id")
        return cursor
    return await _recount(queue, cursor, stored_offset, taking)


async def _recount(queue: Queue, cursor: Cursor, stored_offset: int, taking: Taking) -> Cursor:
    while cursor.next_offset < stored_offset:
        room = min(_RECOUNT_EVENTS, stored_offset - cursor.next_offset)
        for batch in await queue.read(cursor.next_offset, room, _RECOUNT_BYTES):
            taken = await taking.taken(Span([batch]))
            unreadable = batch.first_offset - cursor.next_offset
            progress = replace(taken, filtered={**taken.filtered, UNREADABLE.rule: unreadable}).progress(
                batch.next_offset
            )
            cursor = await queue.record(cursor.destination, progress)
    return cursor
