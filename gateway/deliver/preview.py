"""What a destination would be sent for an event, without sending it. Secrets are masked."""

from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import orjson

from gateway.deliver.breaker import Moment
from gateway.deliver.governing import Given, Governed, Governor
from gateway.deliver.masking import masking
from gateway.deliver.plans import LoadPlan, Plan
from gateway.deliver.prepare import Prepared, address
from gateway.deliver.progress import Filtered, Unsendable
from gateway.deliver.quarantine import Quarantine
from gateway.destinations.contract import Payload, Sending
from gateway.destinations.http_messages import Publication, Request, Response
from gateway.model.envelope import Stored
from gateway.transforms.host import told

_SUCCESS = Response(200)
_TOKEN = "t0ken"  # noqa: S105 - stands where a token will be

Shown = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Preview:
    """`outcome` is "sent", "filtered" (by the rule `reason`; of a transform the `error` says more) or "dead" (for
    `reason`, with the `error`)."""

    outcome: str
    reason: str = ""
    error: str = ""
    requests: Sequence[Shown] = field(default_factory=list)
    """Each with method, url, headers and body; of a publication its records. Where an answer decides about a next
    request, that of a success is taken for granted."""


async def preview(given: Given, plan: Plan | LoadPlan, now: Moment, quarantine: Quarantine) -> Preview:
    """The owner's rules, plan and transforms, then the tool's words; of a warehouse the events that it would store.

    Raises TransformsError where the owner's code cannot be loaded.
    """
    governor = Governor(plan.name, plan.route, plan.settings, plan.transforms, quarantine)
    async with aclosing(governor):
        await governor.start()
        (governed,) = await governor.governed([given])
    return described(given.stored, governed, plan, now)


def described(stored: Stored, governed: Governed, plan: Plan | LoadPlan, now: Moment) -> Preview:
    """What became of an event, as its owner reads it."""
    if isinstance(governed, list) and isinstance(plan, Plan):
        prepared: Prepared = address(stored, governed, plan, now)
    elif isinstance(governed, list):
        return Preview("sent", requests=[{"row": event} for event in governed])
    else:
        prepared = governed
    match prepared:
        case Filtered(rule, detail):
            return Preview("filtered", rule, detail)
        case Unsendable(reason, error):
            return Preview("dead", reason, error)
        case items:
            assert isinstance(plan, Plan)
            mask = masking(plan.settings)
            try:
                said = [*requests_for([item.payload for item in items], plan, now.ms)]
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a fault in a destination's file, told to its owner
                return Preview("dead", "unsendable", mask(told(error)))
            return Preview("sent", requests=[mask(shown(request)) for request in said])


def requests_for(
    payloads: Sequence[Payload], plan: Plan, now_ms: int, answers: Sequence[Response] = ()
) -> Iterator[Request | Publication]:
    """The requests for payloads, given the answers to them; beyond those, every one succeeds."""
    replies = iter(answers)
    sending = Sending(now_ms, _TOKEN if plan.kind.grant else "")
    for batch in _batches(payloads, plan):
        conversation = plan.kind.conversation(batch, plan.settings, sending)
        try:
            request = next(conversation)
            while True:
                yield request
                request = conversation.send(next(replies, _SUCCESS))
        except StopIteration:
            continue


def _batches(payloads: Sequence[Payload], plan: Plan) -> Iterator[Sequence[Payload]]:
    """What shares a request, as far as number and key decide."""
    for key, group in groupby(payloads, key=lambda payload: payload.key):
        same, size = list(group), plan.kind.batch_events(plan.settings, key)
        yield from (same[start : start + size] for start in range(0, len(same), size))


def shown(request: Request | Publication) -> Shown:
    """As plain data, with a body that is JSON, or lines of it, decoded."""
    if isinstance(request, Publication):
        return {
            "records": [
                {"topic": each.topic, "key": each.key, "value": readable(each.value), "headers": dict(each.headers)}
                for each in request.records
            ]
        }
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {"method": request.method, "url": request.url, "headers": headers, "body": readable(request.body)}


def readable(body: bytes) -> Any:
    """JSON, JSON lines, or text."""
    for read in (orjson.loads, lambda text: [orjson.loads(line) for line in text.splitlines()]):
        try:
            return read(body)
        except orjson.JSONDecodeError:
            continue
    return body.decode(errors="replace")
