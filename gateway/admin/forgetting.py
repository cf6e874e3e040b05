"""Forgets persons: carries each order through its steps, however often the daemon stops in between.

An order is on disk before anything is removed, and so is how far it is. Every step may be done twice. What is in the
way (a warehouse that does not answer, a full disk) keeps the order open; others go on meanwhile.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import structlog

from gateway.deliver.delivery import Delivery
from gateway.govern import Belonging, of_bare_value, together
from gateway.model.clock import Clock
from gateway.model.errors import HeadwaterError, QueueUnavailableError, WarehouseError
from gateway.model.person import Known
from gateway.observe.metrics import Metrics
from gateway.queue import Job, Mentions, Queue, Subject, Traces

RETRY_S = 1.0
OPENING_PATIENCE_S = 5.0
DONE = "done"


class Forgetting:
    """The orders of one daemon. `run` is its task."""

    def __init__(self, queue: Queue, delivery: Delivery, clock: Clock, metrics: Metrics) -> None:
        self.waiting: dict[int, str] = {}
        """Why open orders do not go on, by their id."""
        self._queue = queue
        self._eraser = queue.eraser
        self._delivery = delivery
        self._clock = clock
        self._open = metrics.forget_orders
        self._ordered = asyncio.Event()

    async def order(self, identifier: str) -> Job:
        """Forget the person with this identifier. The order is on disk when this returns."""
        job = await self._eraser.open(identifier, self._clock.now_ms())
        self._ordered.set()
        return job

    async def subject(self, identifier: str) -> Subject:
        """Whom an order would be about. Raises HeadwaterError when a warehouse cannot be asked."""
        return _subject(identifier, await self._ask(identifier))

    async def run(self) -> None:
        """Carry out orders until cancelled."""
        while True:
            self._ordered.clear()
            left = await self._round()
            self._open.set(left)
            try:
                async with asyncio.timeout(RETRY_S if left else None):
                    await self._ordered.wait()
            except TimeoutError:
                continue

    async def _round(self) -> int:
        """Every open order, as far as it goes; how many are left."""
        try:
            waiting = [job.id for job in await self._eraser.open_jobs()]
            self._open.set(len(waiting))
        except QueueUnavailableError as error:
            structlog.get_logger().warning("forget.waits", reason=str(error))
            return 1
        return sum([not await self._carry_out(job_id) for job_id in waiting])

    async def _carry_out(self, job_id: int) -> bool:
        """Whether the order is done. It is read anew for each step: a damaged queue that was replaced may have put it
        back."""
        try:
            while (job := await self._eraser.job(job_id)) is not None and job.step != DONE:
                await self._step(job)
        except Exception as error:  # noqa: BLE001 - as in patience.py: whatever a warehouse raises, the daemon goes on
            reason = str(error) if isinstance(error, HeadwaterError) else f"{type(error).__name__}: {error}"
            if self.waiting.get(job_id) != reason:
                structlog.get_logger().warning("forget.waits", order=job_id, reason=reason)
            self.waiting[job_id] = reason
            return False
        self.waiting.pop(job_id, None)
        structlog.get_logger().info("forget.done", order=job_id)
        return True

    async def _step(self, job: Job) -> None:
        eraser, subject = self._eraser, job.subject
        if job.step == "wipe" or subject is None:
            await eraser.wipe(job, self._clock.now_ms())
        elif job.step == "find":
            await self._find(job, subject)
        elif subject.person is not None:
            await self._erase(job, subject, subject.person)

    async def _erase(self, job: Job, subject: Subject, person: Known) -> None:
        eraser, traces = self._eraser, traces_of(person)
        match job.step:
            case "settle":
                await self._settle(job, subject)
            case "chunks":
                await eraser.erase_chunks(job, traces.belongs)
            case "workers":
                await self._delivery.restart(partial(self._between, job.id, traces))
            case "letters":
                await eraser.erase_letters(job, traces)
            case "rejects":
                await eraser.erase_rejects(job, traces)
            case "warehouses":
                await self._erase_warehouses(job, subject, person)
            case "find" | "wipe" | "done":
                raise AssertionError(job.step)

    async def _between(self, job_id: int, traces: Traces) -> None:
        """While no worker runs. A disk that refuses has it done again, from where it came to."""
        job = await self._eraser.job(job_id)
        if job is not None and job.step == "workers":
            await self._eraser.erase_between(job, traces)

    async def _find(self, job: Job, subject: Subject) -> None:
        """Who it is. Whom no warehouse knows may be in what they have not loaded yet."""
        found = await self._ask(subject.identifier)
        if not any(found.values()):
            if not job.fence:
                job = await self._eraser.save(replace(job, fence=await self._eraser.fence()))
            await self._until_loaded(job.fence)
            found = await self._ask(subject.identifier)
        await self._eraser.suppress(replace(job.at("settle"), fence=0), _subject(subject.identifier, found))

    async def _settle(self, job: Job, subject: Subject) -> None:
        """What was on its way when the person was suppressed may tell more of them: ask again once it is loaded."""
        if not job.fence:
            job = await self._eraser.save(replace(job, fence=await self._eraser.fence()))
        await self._until_loaded(job.fence)
        found = await self._ask(subject.identifier)
        job = await self._eraser.suppress(job, _more(subject, found))
        await self._eraser.begin(job, await self._eraser.fence())

    async def _erase_warehouses(self, job: Job, subject: Subject, person: Known) -> None:
        """Each that is configured, and none twice, unless the daemon is killed between the two commits."""
        troubles = []
        for name in self._delivery.warehouses():
            if name in job.report.warehouses:
                continue
            try:
                warehouse = await self._delivery.opened_warehouse(name, OPENING_PATIENCE_S)
                own = subject.by_warehouse.get(name)
                rows = await warehouse.forget(replace(person, person_id=own.person_id if own else ""))
            except Exception as error:  # noqa: BLE001 - one warehouse must not keep the others waiting
                troubles.append(f"{name}: {error}")
                continue
            report = replace(job.report, warehouses={**job.report.warehouses, name: rows})
            job = await self._eraser.save(replace(job, report=report))
        if troubles:
            raise WarehouseError("; ".join(troubles))
        await self._eraser.save(job.at("wipe"))

    async def _ask(self, identifier: str) -> dict[str, Known | None]:
        """What each warehouse knows. Raises whatever one that does not answer now raises."""
        found: dict[str, Known | None] = {}
        for name in self._delivery.warehouses(answering=True):
            warehouse = await self._delivery.opened_warehouse(name, OPENING_PATIENCE_S)
            found[name] = await warehouse.find_person(identifier)
        return found

    async def _until_loaded(self, fence: int) -> None:
        """Raises WarehouseError while a warehouse that may tell more has not loaded all events before `fence`."""
        for name in self._delivery.backfills.loading():
            raise WarehouseError(f"{name} is loading events of an archive, which may tell more")
        names = set(self._delivery.warehouses(answering=True))
        for cursor in await self._queue.cursors():
            if cursor.destination in names and cursor.next_offset < fence:
                events = fence - cursor.next_offset
                raise WarehouseError(f"{cursor.destination} has {events} events to load, which may tell more")


def traces_of(person: Known) -> Traces:
    """How the person is told from others."""
    return Traces(Belonging(person), Mentions(person))


def _subject(identifier: str, found: Mapping[str, Known | None]) -> Subject:
    known = {name: person for name, person in found.items() if person is not None}
    return Subject(identifier, together(known.values()) if known else of_bare_value(identifier), known)


def _more(subject: Subject, found: Mapping[str, Known | None]) -> Subject:
    """What is known after a second question: what it brought, and what the first one had brought."""
    assert subject.person is not None
    known = dict(subject.by_warehouse)
    for name, person in found.items():
        if person is not None:
            known[name] = together([known[name], person]) if name in known else person
    return Subject(subject.identifier, together([subject.person, *known.values()]), known)
