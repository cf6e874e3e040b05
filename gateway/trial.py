"""What a destination would be sent, tried without a daemon: for `headwater try`, and for tests of one's own code."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import orjson

from gateway.collect.privacy import governed
from gateway.config import DestinationSettings
from gateway.deliver.breaker import Moment, moment
from gateway.deliver.decode import canonical_event
from gateway.deliver.governing import Given, Governor
from gateway.deliver.plans import Plan
from gateway.deliver.preview import described, preview
from gateway.deliver.quarantine import Quarantine
from gateway.destinations import Destination
from gateway.enrich import open_enricher
from gateway.govern import privacy
from gateway.kinds import read_configuration
from gateway.model.clock import SystemClock
from gateway.model.envelope import Envelope, Stored
from gateway.model.errors import HeadwaterError
from gateway.model.event import EVENT_TYPES, parse_time
from gateway.model.ids import uuid7
from gateway.observe.logging import configure_logging
from gateway.transforms import chains_of


async def try_event(
    path: Path, environ: Mapping[str, str], destination: str, event: bytes, source: str | None
) -> dict[str, Any]:
    """A Preview as plain data. Raises HeadwaterError where the configuration or the event is no good."""
    configuration, clock = read_configuration(path, environ, destination), SystemClock()
    settings = configuration.settings
    configure_logging(settings.log)  # elsewhere than where the answer goes
    source = source or next(iter(settings.sources))
    if source not in settings.sources:
        raise HeadwaterError(f'no source "{source}" is in {path}', hint=f"there are {', '.join(settings.sources)}")
    chosen = settings.destinations[destination]
    stored = stored_as_sent(event, Envelope(source, clock.now_ms()))
    if rules := privacy.compiled(settings.sources[source].privacy):
        stored = stored._replace(raw=governed(stored.raw, rules))
    plan = configuration.kinds.table().plan(destination, chosen, chains_of(settings))
    with open_enricher(settings.enrich) as enricher:
        given = Given(stored, lambda stored: enricher.enriched(canonical_event(stored)))
        quarantine = Quarantine({source: settings.sources[source].tracking_plan})
        return asdict(await preview(given, plan, moment(clock), quarantine))


def requests_for(kind: Destination[Any], settings: DestinationSettings, event: Mapping[str, Any]) -> list[Any]:
    """The requests that a kind of destination makes of an event, for tests: method, url, headers and body of each.

    It is received, and told, at its own `timestamp`. Raises HeadwaterError where the event could never be sent.
    """
    plan, happened_at = Plan(kind.type, kind, settings), parse_time(event.get("timestamp"))
    at_ms = round(happened_at.timestamp() * 1000) if happened_at else 0
    stored = stored_as_sent(orjson.dumps(event), Envelope("test", at_ms))
    admitted = Governor(plan.name, plan.route, settings, plan.transforms).admit(Given(stored, canonical_event))
    found = described(stored, [admitted] if isinstance(admitted, dict) else admitted, plan, Moment(0.0, at_ms))
    if found.outcome == "dead":
        raise HeadwaterError(f"{found.reason}: {found.error}")
    return list(found.requests)


def stored_as_sent(event: bytes, envelope: Envelope) -> Stored:
    """The event as it would lie in the queue. Raises HeadwaterError where it is none."""
    try:
        fields = orjson.loads(event)
    except orjson.JSONDecodeError as error:
        raise HeadwaterError(f"the event is not JSON: {error}") from error
    if not isinstance(fields, dict) or fields.get("type") not in EVENT_TYPES:
        raise HeadwaterError(f'the event must be a JSON object whose "type" is one of {", ".join(EVENT_TYPES)}')
    if not isinstance(fields.get("messageId"), str):
        fields["messageId"] = uuid7(envelope.received_at_ms, Random())  # noqa: S311 - an id, no secret
    return Stored(0, orjson.dumps(fields), envelope)
