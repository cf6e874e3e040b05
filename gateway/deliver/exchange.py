"""A conversation with a destination, as an outcome: nothing a destination's file or its peer does escapes from here."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from gateway.config import DestinationSettings
from gateway.deliver.masking import masking
from gateway.deliver.plans import Plan
from gateway.deliver.tokens import Tokens
from gateway.deliver.transport import Carry, UnreachableError
from gateway.destinations.contract import Conversation, Payload, Sending
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from gateway.transforms.host import told

MAX_TURNS = 10
"""Requests in one conversation."""


async def exchange(payloads: Sequence[Payload], plan: Plan, now_ms: int, carry: Carry, tokens: Tokens) -> Outcome:
    """Tell the destination. What is not understood is a Retry, so it loses nothing."""
    try:
        outcome = await _told(payloads, plan, now_ms, carry, tokens)
    except UnreachableError as error:
        return Retry(error.message)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a fault in a destination's file is its trouble alone
        structlog.get_logger().exception("destination.fault", type=plan.settings.type)
        return Retry(told(error))
    if not isinstance(outcome, Delivered | Retry | Reject | Partial | Halt):
        return Retry(f"the destination's file read the answer as {type(outcome).__name__}, which is no outcome")
    if isinstance(outcome, Partial) and len(outcome.items) != len(payloads):
        return Retry(f"answered for {len(outcome.items)} of {len(payloads)} events")
    return _masked(outcome, plan.settings)


def _masked(outcome: Outcome, settings: DestinationSettings) -> Outcome:
    """Peers may repeat what they were sent, credentials included."""
    if isinstance(outcome, Delivered):
        return outcome
    mask = masking(settings)
    if not isinstance(outcome, Partial):
        return replace(outcome, reason=mask(outcome.reason))
    return Partial(
        [item if isinstance(item, Delivered) else replace(item, reason=mask(item.reason)) for item in outcome.items]
    )


async def _told(payloads: Sequence[Payload], plan: Plan, now_ms: int, carry: Carry, tokens: Tokens) -> Outcome:
    token = await tokens.current(carry)
    if not isinstance(token, str):
        return token
    outcome = await _converse(plan.kind.conversation(payloads, plan.settings, Sending(now_ms, token)), plan, carry)
    if not isinstance(outcome, Halt) or not tokens.dismiss(token):
        return outcome
    renewed = await tokens.current(carry)
    if not isinstance(renewed, str):
        return renewed
    return await _converse(plan.kind.conversation(payloads, plan.settings, Sending(now_ms, renewed)), plan, carry)


async def _converse(conversation: Conversation, plan: Plan, carry: Carry) -> Outcome:
    try:
        request = next(conversation)
        for _ in range(MAX_TURNS):
            request = conversation.send(await carry(request, plan.settings.timeout))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    conversation.close()
    return Retry(f"no end after {MAX_TURNS} requests")
