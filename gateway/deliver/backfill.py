"""The past of an archive, loaded into a warehouse beside what comes in.

It keeps no place of its own: the warehouse remembers every id, so what is loaded once more is a duplicate, and an order
that broke off is simply given again. Events go through what all events on their way to the warehouse go through. Those
that it refuses stay in the archive, and become no letters.

What is read is loaded only as long as the warehouse's worker is the one from before the reading, and nobody is being
forgotten: whoever is forgotten is taken out of the archive, and a copy in memory must not outlive that. Otherwise it is
read again. Every order to forget has the workers start afresh, and so does every change of the warehouse's settings.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import structlog

from gateway.deliver.backfill_status import MOST_TOLD, BackfillStatus, Shortfall, State, Tally
from gateway.deliver.backoff import retry_delay_s
from gateway.deliver.decode import decode
from gateway.deliver.governing import Governor
from gateway.deliver.letters import Trouble, dead_letter
from gateway.deliver.loader import note_load
from gateway.deliver.plans import LoadPlan
from gateway.deliver.quarantine import Quarantine
from gateway.deliver.services import Services
from gateway.deliver.spans import Span
from gateway.deliver.taking import Growing, Taken, Taking
from gateway.deliver.warehouse_handle import WarehouseHandle
from gateway.govern import Suppression
from gateway.model.envelope import Packed
from gateway.model.errors import HeadwaterError, WarehouseRowError
from gateway.warehouses.archive import Limits, Past, Piece, Position
from gateway.warehouses.contract import Loaded

PAUSE_S = 1.0
FORGOTTEN = "forgotten"


class SupersededError(Exception):
    """What was read may not be loaded any more."""


class StoppedError(Exception):
    """Whoever gave the order has gone, or the daemon stops."""


@dataclass(frozen=True, slots=True)
class Access:
    """How a warehouse is loaded at the moment."""

    plan: LoadPlan
    handle: WarehouseHandle
    quarantine: Quarantine
    """Its own: verdicts are remembered by offset, and here offsets are not the queue's."""
    is_current: Callable[[], bool]
    """Whether the warehouse's worker is still the same."""


class _Read(NamedTuple):
    span: Span | None
    """What is to be loaded of a piece; None for nothing."""
    events: int
    objects: int
    forgotten: int
    end: Position


class Backfill:
    """One order. `run` is its task."""

    def __init__(
        self, archive: str, past: Past, access: Callable[[], Awaitable[Access]], name: str, services: Services
    ) -> None:
        """`access` raises HeadwaterError when the warehouse runs no more."""
        self.is_loading = False
        """Whoever is forgotten now may still come with the load that runs."""
        self._name = name
        self._archive = archive
        self._past = past
        self._access = access
        self._services = services
        self._log_id = f"archive#{archive}"
        self._handed_over: int | None = None
        """Events of this archive that the warehouse was ever given; each load has a number of its own."""
        self._tally = Tally()
        self._position = Position()
        self._state: State = "running"
        self._waiting = ""
        self._error = ""
        self._told = 0
        self._governor: Governor | None = None
        self._is_stopping = False

    async def run(self) -> None:
        """Until all is loaded, `stop`, or a cancellation. What goes wrong is in the status."""
        log = structlog.get_logger().bind(destination=self._name, archive=self._archive)
        log.info("backfill.started", days=len(self._past.days))
        try:
            while self._state == "running":
                with suppress(SupersededError):
                    await self._go_on()
        except StoppedError:
            self._state = "stopped"
        except HeadwaterError as error:
            self._state, self._error = "failed", str(error)
        except Exception as error:  # a fault here is trouble of this order alone
            log.exception("backfill.fault")
            self._state, self._error = "failed", f"{type(error).__name__}: {error}"
        except asyncio.CancelledError:
            self._state = "stopped"
            raise
        finally:
            status = self.status()
            log.info("backfill.ended", state=status.state, day=status.day, events=status.events, rows=status.rows)

    def stop(self) -> None:
        """Begin no load any more. Without one that runs, the task may be cancelled."""
        self._is_stopping = True

    def status(self) -> BackfillStatus:
        """At this moment."""
        tally, days = self._tally, [*self._past.days]
        done = len(days) if self._state == "done" else sum(day < self._position.date for day in days)
        return BackfillStatus(
            self._name,
            self._archive,
            self._state,
            self._position.date,
            done,
            len(days),
            tally.objects,
            tally.events,
            tally.rows,
            tally.duplicates,
            dict(+tally.kept_back),
            tally.refused,
            len(self._past.unreadable),
            self._waiting or (self._governor.trouble if self._governor else ""),
            self._error,
        )

    def shortfall(self) -> Shortfall:
        """What did not get into the warehouse so far."""
        return Shortfall(self._tally.refusals, dict([*self._past.unreadable.items()][:MOST_TOLD]))

    async def _go_on(self) -> None:
        """From where it is, for as long as what is read may be loaded."""
        access = await self._access()
        plan, services = access.plan, self._services
        while await services.queue.eraser.open_jobs():
            self._waiting = "a person is being forgotten"
            await asyncio.sleep(PAUSE_S)
        self._waiting = ""
        batch = plan.settings.batch
        pieces = self._past.pieces(self._position, Limits(batch.max_events, batch.max_bytes))
        self._governor = Governor(plan.name, plan.route, plan.settings, plan.transforms, access.quarantine)
        async with aclosing(self._governor):
            taking = Taking(plan.name, self._governor, services)
            while read := await asyncio.to_thread(_next, pieces, services.queue.suppression, self._tally.events):
                if read.span:
                    await self._load(read.span, access, taking)
                self._tally.objects += read.objects
                self._tally.events += read.events
                self._tally.kept_back[FORGOTTEN] += read.forgotten
                self._position = read.end
                self._tell_of_objects()
                if self._is_stopping:
                    raise StoppedError
        self._state = "done"

    def _tell_of_objects(self) -> None:
        """In the log, of each that could not be read, once."""
        log = structlog.get_logger().bind(destination=self._name, archive=self._archive)
        for path, error in islice(self._past.unreadable.items(), self._told, MOST_TOLD):
            log.warning("backfill.unreadable", object=path, error=error)
        self._told = len(self._past.unreadable)

    async def _load(self, span: Span, access: Access, taking: Taking) -> None:
        """Rows that the warehouse can never take are found by halving."""
        taken = await taking.taken(span)
        try:
            if taken.batches:
                self._tally.loaded(await self._store(taken.batches, access))
        except WarehouseRowError as error:
            if taken.events > 1:
                for half in span.halves():
                    await self._load(half, access, taking)
                return
            trouble = Trouble(error.message, 1, self._services.clock.now_ms())
            for stored in taken.stored(span):
                self._tally.refuse(dead_letter(stored, self._name, "rejected", trouble), self._name)
        self._note(taken)

    def _note(self, taken: Taken) -> None:
        self._tally.kept_back.update(taken.filtered)
        for letter in taken.letters:
            self._tally.refuse(letter, self._name)

    async def _store(self, batches: Sequence[Packed], access: Access) -> Loaded:
        """From the first attempt that succeeds. Raises WarehouseRowError at once."""
        failures = 0
        while True:
            try:
                loaded = await self._attempt(batches, access)
            except (WarehouseRowError, SupersededError, StoppedError):
                raise
            except Exception as error:  # noqa: BLE001 - as in patience.py
                failures += 1
                self._waiting = str(error) or type(error).__name__
                await asyncio.sleep(retry_delay_s(failures, access.plan.settings.retry, self._services.rng))
            else:
                self._waiting = ""
                return loaded

    async def _attempt(self, batches: Sequence[Packed], access: Access) -> Loaded:
        """The warehouse's own loads and this one take turns."""
        services = self._services
        async with access.handle.loading:
            self.is_loading = True  # before the question, so that an order to forget sees one of the two
            try:
                if self._is_stopping:
                    raise StoppedError
                if await services.queue.eraser.open_jobs() or not access.is_current():
                    raise SupersededError
                warehouse, began_s = access.handle.now(), services.clock.monotonic_s()
                if self._handed_over is None:
                    self._handed_over = await warehouse.next_offset(self._log_id) or 0
                handed_over = self._handed_over + sum(map(len, batches))
                loaded = await warehouse.load(batches, self._log_id, handed_over)
            finally:
                self.is_loading = False
        self._handed_over = handed_over
        note_load(services.metrics, f"{self._name}#replay", loaded, services.clock.monotonic_s() - began_s)
        return loaded


def _next(pieces: Iterator[Piece], suppression: Suppression, first_offset: int) -> _Read | None:
    """In a thread: the next piece, without those who asked to be forgotten while the archive was out of reach."""
    piece = next(pieces, None)
    if piece is None:
        return None
    growing, kept = Growing(), 0
    for stored in piece.events:
        if not (suppression and _is_suppressed(stored.raw, suppression)):
            growing.add(stored.raw, stored.envelope)
            kept += 1
    span = Span([growing.batch(first_offset)]) if kept else None
    return _Read(span, len(piece.events), piece.objects, len(piece.events) - kept, piece.end)


def _is_suppressed(raw: bytes, suppression: Suppression) -> bool:
    try:
        event = decode(raw)
    except ValueError:  # nobody's; the warehouse will say what it thinks of it
        return False
    user_id, previous_id, anonymous_id = (
        value if isinstance(value := event.get(name), str) else None for name in ("userId", "previousId", "anonymousId")
    )
    return suppression.holds((user_id, previous_id), anonymous_id)
