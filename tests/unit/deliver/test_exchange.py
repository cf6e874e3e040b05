"""A conversation with a destination: what its requests and answers come to, and the token that it needs."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
from pydantic import SecretStr

from gateway.config import DestinationSettings
from gateway.deliver.exchange import MAX_TURNS, exchange
from gateway.deliver.plans import Plan
from gateway.deliver.tokens import Tokens
from gateway.deliver.transport import UnreachableError
from gateway.destinations import Destination, Message, Payload, Publication, Request, Response
from gateway.destinations.contract import Conversation, Grant, Token
from gateway.model.clock import ManualClock
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

PAYLOADS = [Payload("m1", b"{}"), Payload("m2", b"{}")]


class ToolSettings(DestinationSettings):
    type: Literal["tool"] = "tool"
    secret: SecretStr = SecretStr("s3cret")


def tool(**more: Any) -> Destination[ToolSettings]:
    return Destination(
        settings=ToolSettings,
        title="Tool",
        map=lambda event, _: [Message(event)],
        request=lambda _payloads, _settings, sending: Request("https://tool.example", sending.token.encode()),
        **more,
    )


class Peer:
    """Answers in turn; an error among the answers is raised."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    async def carry(self, request: Request | Publication, _timeout_s: float) -> Response:
        assert isinstance(request, Request)
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def told(kind: Destination[ToolSettings], peer: Peer, clock: ManualClock | None = None) -> Outcome:
    plan = Plan("tool", kind, ToolSettings())
    tokens = Tokens(plan, clock or ManualClock())
    return asyncio.run(exchange(PAYLOADS, plan, 0, peer.carry, tokens))


def test_one_request_and_what_its_answer_means():
    assert told(tool(), Peer(Response(204))) == Delivered()
    assert told(tool(), Peer(Response(400))) == Reject("HTTP 400")


@pytest.mark.parametrize("outcome", [Reject("no s3cret"), Halt("no s3cret"), Retry("no s3cret", 7.0)])
def test_a_secret_that_an_answer_repeats_is_not_kept(outcome: Reject | Halt | Retry):
    whole, part = tool(classify=lambda *_: outcome), tool(classify=lambda *_: Partial([Delivered(), Reject("s3cret")]))

    assert told(whole, Peer(Response(400))) == replace(outcome, reason="no ***")
    assert told(part, Peer(Response(400))) == Partial([Delivered(), Reject("***")])


@pytest.mark.parametrize("error", [UnreachableError("no answer within 15 s"), KeyError("x"), RuntimeError("boom")])
def test_what_is_not_understood_is_tried_again(error: Exception):
    assert isinstance(told(tool(), Peer(error)), Retry)


def test_an_answer_for_another_number_of_events_is_tried_again():
    kind = tool(classify=lambda _response, _payloads: Partial([Delivered()]))

    assert told(kind, Peer(Response(200))) == Retry("answered for 1 of 2 events")


def test_what_is_no_outcome_is_tried_again():
    kind = tool(classify=lambda _response, _payloads: "ok")

    assert told(kind, Peer(Response(200))) == Retry(
        "the destination's file read the answer as str, which is no outcome"
    )


def test_an_answer_may_decide_about_a_next_request():
    def converse(_payloads: Sequence[Payload], _settings: ToolSettings, _sending: Any) -> Conversation:
        created = yield Request("https://tool.example/create", b"")
        if created.status != 409:
            return Delivered()
        updated = yield Request("https://tool.example/update", b"", method="PUT")
        return Delivered() if updated.status == 200 else Reject("not updated")

    peer = Peer(Response(409), Response(200))

    assert told(tool(converse=converse), peer) == Delivered()
    assert [request.url.rpartition("/")[2] for request in peer.asked] == ["create", "update"]


def test_a_conversation_that_does_not_end_is_ended():
    def converse(*_: Any) -> Conversation:
        while True:
            yield Request("https://tool.example", b"")

    peer = Peer(*[Response(200)] * (MAX_TURNS + 5))

    assert isinstance(told(tool(converse=converse), peer), Retry)
    assert len(peer.asked) == MAX_TURNS


GRANT = Grant(
    request=lambda _settings: Request("https://tool.example/token", b""),
    read=lambda response: (
        Token(response.body.decode(), 3600) if response.status == 200 else Halt(f"no token: HTTP {response.status}")
    ),
)


def sent(peer: Peer) -> list[bytes]:
    return [request.body for request in peer.asked if not request.url.endswith("/token")]


def test_a_token_is_fetched_before_the_first_request_and_kept():
    peer, clock = Peer(Response(200, {}, b"t1"), Response(200), Response(200)), ManualClock()
    plan = Plan("tool", tool(grant=GRANT), ToolSettings())
    tokens = Tokens(plan, clock)

    async def twice() -> None:
        for _ in range(2):
            await exchange(PAYLOADS, plan, 0, peer.carry, tokens)

    asyncio.run(twice())

    assert sent(peer) == [b"t1", b"t1"]
    assert len(peer.asked) == 3


def test_a_token_that_is_refused_is_replaced_once():
    peer = Peer(Response(200, {}, b"old"), Response(401), Response(200, {}, b"new"), Response(200))

    assert told(tool(grant=GRANT), peer) == Delivered()
    assert sent(peer) == [b"old", b"new"]


def test_credentials_that_are_refused_with_a_new_token_as_well_are_the_owners_trouble():
    peer = Peer(Response(200, {}, b"old"), Response(401), Response(200, {}, b"new"), Response(401))

    assert told(tool(grant=GRANT), peer) == Halt("HTTP 401")


def test_without_a_token_nothing_is_sent():
    peer = Peer(Response(400))

    assert told(tool(grant=GRANT), peer) == Halt("no token: HTTP 400")
    assert sent(peer) == []


def test_a_token_is_replaced_before_it_runs_out():
    peer, clock = Peer(Response(200, {}, b"t1"), Response(200), Response(200, {}, b"t2"), Response(200)), ManualClock()
    plan = Plan("tool", tool(grant=GRANT), ToolSettings())
    tokens = Tokens(plan, clock)

    async def an_hour_apart() -> None:
        await exchange(PAYLOADS, plan, 0, peer.carry, tokens)
        clock.advance(3580)
        await exchange(PAYLOADS, plan, 0, peer.carry, tokens)

    asyncio.run(an_hour_apart())

    assert sent(peer) == [b"t1", b"t2"]
