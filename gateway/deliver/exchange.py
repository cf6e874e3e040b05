"""One request and its answer, as an outcome: nothing a destination's file or its peer does escapes from here."""

from collections.abc import Sequence

import structlog

from gateway.deliver.prepare import Plan
from gateway.deliver.transport import Carry, UnreachableError
from gateway.destinations.contract import Payload, Sending
from gateway.model.outcome import Outcome, Partial, Retry


async def exchange(payloads: Sequence[Payload], plan: Plan, sending: Sending, carry: Carry) -> Outcome:
    """Send the payloads as one request. What is not understood is a Retry, so it loses nothing."""
    try:
        request = plan.kind.request(payloads, plan.settings, sending)
        outcome = plan.kind.classify(await carry(request, plan.settings.timeout), payloads)
    except UnreachableError as error:
        return Retry(error.message)
    except Exception as error:  # noqa: BLE001 - a fault in one destination's file is trouble of that destination alone
        structlog.get_logger().exception("destination.fault", type=plan.settings.type)
        return Retry(f"{type(error).__name__}: {error}")
    if isinstance(outcome, Partial) and len(outcome.items) != len(payloads):
        return Retry(f"answered for {len(outcome.items)} of {len(payloads)} events")
    return outcome
