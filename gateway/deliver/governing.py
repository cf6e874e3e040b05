"""What the owner lets a destination see of each event: rules first, then the tracking plan, then transforms.

The same for tools and for warehouses. Rules are pure (routing.py); transforms run in a process beside the daemon.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog

from gateway.config import DestinationSettings
from gateway.deliver.progress import Filtered, Unsendable
from gateway.deliver.quarantine import NOTHING_KEPT, Quarantine
from gateway.deliver.routing import Route
from gateway.model.envelope import Stored
from gateway.model.event import EVENT_TYPES, Event, parse_time, to_iso
from gateway.transforms import Chains, Failure, Job, KeptBack, Result, Runner, TransformsError

PAUSE_S = 1.0

Governed = list[Event] | Filtered | Unsendable
"""What became of one event: others, or one, or why it goes nowhere."""


class Given(NamedTuple):
    """A stored event and what decodes it, raising ValueError where that fails."""

    stored: Stored
    canonical: Callable[[Stored], Event]


class Governor:
    """For one destination. Where there are transforms, a process of its own runs them; it ends with `aclose`."""

    def __init__(
        self,
        name: str,
        route: Route,
        settings: DestinationSettings,
        transforms: Chains,
        quarantine: Quarantine = NOTHING_KEPT,
    ) -> None:
        self.route = route
        self.trouble = ""
        """Why events wait: the owner's code cannot be loaded. Empty while it can."""
        self._quarantine = quarantine
        self._name = name
        self._own = settings.transforms
        self._transforms = transforms
        self._files = transforms.files(settings.transforms)
        self._runner = Runner(self._files, transforms.timeout_s)

    @property
    def looks_inside(self) -> bool:
        """Whether anything but an event's envelope decides what becomes of it."""
        return bool(self._files) or self.route.looks_inside or self._quarantine.concerns(self.route.sources)

    async def start(self) -> None:
        """Load the owner's code. Raises TransformsError where that fails, for callers who do not want to wait."""
        if self._files:
            await self._runner.start()

    async def governed(self, given: Sequence[Given]) -> list[Governed]:
        """What becomes of each, in their order."""
        admitted = [self.admit(each) for each in given]
        if self._files:
            governed = await self._transformed(given, admitted)
        else:
            governed = [[event] if isinstance(event, dict) else event for event in admitted]
        shaped = self.route.shaped
        if shaped is None:
            return governed
        return [[shaped(event) for event in found] if isinstance(found, list) else found for found in governed]

    async def _transformed(
        self, given: Sequence[Given], admitted: Sequence[Event | Filtered | Unsendable]
    ) -> list[Governed]:
        jobs: dict[int, Job] = {}
        for index, event in enumerate(admitted):
            chain = self._transforms.of(given[index].stored.envelope.source, self._own)
            if isinstance(event, dict) and chain:
                jobs[index] = Job(chain, event)
        results = dict(zip(jobs, await self._run([*jobs.values()]), strict=True))
        return [
            event if not isinstance(event, dict) else made(event, results[index]) if index in results else [event]
            for index, event in enumerate(admitted)
        ]

    def admit(self, given: Given) -> Event | Filtered | Unsendable:
        """The event, if the owner's rules and the tracking plan let it go. Pure."""
        stored, canonical = given
        if (kept_back := self.route.keeps_envelope(stored.envelope)) is not None:
            return kept_back
        try:
            event = canonical(stored)
            return (
                self.route.keeps_back(event, stored.envelope.source) or self._quarantine.keeps(stored, event) or event
            )
        except Exception as error:  # noqa: BLE001 - an event that cannot be decoded, or that a rule cannot bear
            return Unsendable("unmappable", f"{type(error).__name__}: {error}")

    async def aclose(self) -> None:
        """End the process."""
        await self._runner.aclose()

    async def _run(self, jobs: Sequence[Job]) -> Sequence[Result]:
        """Until the code can be loaded: it could when the configuration was read, so that is trouble of the machine."""
        while jobs:
            try:
                results = await self._runner.run(jobs)
            except TransformsError as error:
                self._noted(error)
                await asyncio.sleep(PAUSE_S)
            else:
                self.trouble = ""
                return results
        return []

    def _noted(self, error: TransformsError) -> None:
        """In the log once, for as long as it stays the same."""
        trouble = f"transforms cannot be loaded: {last_line(error)}"
        if trouble != self.trouble:
            structlog.get_logger().error("transforms.unavailable", destination=self._name, error=str(error))
        self.trouble = trouble


def last_line(error: TransformsError) -> str:
    """Of a traceback it is the one that says what is wrong; the file is named before it."""
    lines = error.message.splitlines()
    file = lines[0].partition(": ")[0]
    return lines[-1] if len(lines) == 1 else f"{file}: {lines[-1]}"


def made(original: Event, result: Result) -> Governed:
    """What the transforms made of an event."""
    if isinstance(result, Failure):
        return Unsendable("transform_failed", result.error)
    if isinstance(result, KeptBack):
        detail = f"the transform returned {result.returned}, which filters the event; return the event to keep it"
        return Filtered(f"transform {result.by}", detail)
    try:
        return as_canonical(result, original)
    except ValueError as error:
        return Unsendable("transform_failed", str(error))


def as_canonical(events: Sequence[Mapping[str, Any]], original: Event) -> list[Event]:
    """What a transform made, with what every event has. Several are told apart by their ids: `ID`, `ID-2`, `ID-3`.

    Raises ValueError for what is no event.
    """
    found: list[Event] = []
    known: set[str] = set()
    for event in events:
        if event.get("type") not in EVENT_TYPES:
            raise ValueError(f'transform returned an event of type {event.get("type")!r}; keep "type", or set one')
        context, message_id = event.get("context"), event.get("messageId")
        happened_at = parse_time(event.get("timestamp"))
        if not isinstance(message_id, str) or not message_id or message_id in known:
            message_id = f"{original['messageId']}-{len(found) + 1}" if found else original["messageId"]
        known.add(message_id)
        found.append(
            {
                **event,
                "messageId": message_id,
                "timestamp": to_iso(happened_at) if happened_at else original["timestamp"],
                "context": context if isinstance(context, dict) else {},
            }
        )
    return found
