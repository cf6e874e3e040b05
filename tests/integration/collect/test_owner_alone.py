"""Events whose visitor refused analytics, kept for their owner alone: who is told of them, and who is not."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.config import DestinationSettings
from gateway.destinations.webhook import WebhookSettings
from tests.integration.collect.support.daemon import Daemon, running
from tests.integration.collect.support.gateway import Gateway
from tests.integration.deliver.support.gateway import FAST
from tests.integration.deliver.support.sqlite_warehouse import Store

KEEPING = {"sources": {"web": {"write_keys": ["k"], "privacy": {"refused": "keep"}}}}
DROPPING = {"sources": {"web": {"write_keys": ["k"]}}}


class Heard:
    """What each webhook was told, by its name."""

    def __init__(self) -> None:
        self.ids: dict[str, list[str]] = {}
        self.url = ""

    async def hear(self, request: web.Request) -> web.Response:
        event = await request.json()
        self.ids.setdefault(request.match_info["name"], []).append(event["messageId"])
        return web.Response()

    def settings(self, name: str, **more: Any) -> WebhookSettings:
        return WebhookSettings(url=f"{self.url}/{name}", retry=FAST, **more)


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    state = Heard()
    app = web.Application()
    app.router.add_post("/{name}", state.hear)
    async with TestServer(app) as server:
        state.url = str(server.make_url("")).rstrip("/")
        yield state


def event(message_id: str, *, user: str = "u1", **said: bool) -> dict[str, Any]:
    consent = {"consent": {"categoryPreferences": said}} if said else {}
    return {"type": "track", "event": "E", "messageId": message_id, "userId": user, "context": consent}


BATCH = [event("yes", analytics=True), event("no", analytics=False), event("silent"), event("no-too", analytics=False)]


async def post(gateway: Gateway, *events: dict[str, Any], **headers: str) -> None:
    body = json.dumps({"batch": list(events), "writeKey": "k"}).encode()
    assert (await gateway.request("POST", "/v1/b", body, **headers)).status == 200


def hooks(heard: Heard) -> dict[str, DestinationSettings]:
    return {
        "default": heard.settings("default"),
        "told": heard.settings("told", consent=()),
        "marketing": heard.settings("marketing", consent=("marketing",)),
        "holding": heard.settings("holding", hold=0.05),
    }


async def test_nobody_is_told_but_who_is_to_be_told_whatever_the_visitor_said(tmp_path: Path, heard: Heard):
    stores = {name: Store(tmp_path / f"{name}.db") for name in ("plain", "own")}
    destinations = hooks(heard) | {
        "plain": stores["plain"].settings(),
        "own": stores["own"].settings(path=stores["own"].path, consent=()),
    }
    async with running(tmp_path / "queue", KEEPING, destinations, [stores["plain"].kind]) as daemon:
        await post(daemon.gateway, *BATCH)
        await daemon.until_settled(*destinations)
        ledger = {each.destination: (each.delivered, each.filtered) for each in await daemon.queue.cursors()}

    allowed, everything = ["silent", "yes"], ["no", "no-too", "silent", "yes"]
    assert {name: sorted(ids) for name, ids in heard.ids.items()} == {
        "default": allowed,
        "told": everything,
        "marketing": allowed,
        "holding": allowed,
    }
    assert (stores["plain"].rows(), stores["own"].rows()) == (allowed, everything)
    assert ledger == dict.fromkeys(("default", "marketing", "holding", "plain"), (2, 2)) | dict.fromkeys(
        ("told", "own"), (4, 0)
    )
    assert daemon.gateway.count("events_withheld", source="web", reason="consent") == 0
    assert daemon.gateway.count("events_accepted", source="web") == 4
    assert daemon.gateway.count("destination_filtered", destination="default", rule="consent") == 2


async def test_it_stays_the_owners_alone_when_he_keeps_no_more_of_it(tmp_path: Path, heard: Heard):
    """A destination that comes later, a reload and a replay know it by its envelope, not by the configuration."""
    store = Store(tmp_path / "plain.db")
    async with running(tmp_path / "queue", KEEPING, {}) as daemon:
        await post(daemon.gateway, *BATCH)

    destinations = {"default": heard.settings("default"), "plain": store.settings()}
    async with running(tmp_path / "queue", DROPPING, destinations, [store.kind]) as daemon:
        await daemon.until_settled("default", "plain")
        await daemon.delivery.replay("default", 0, 2**42)
        await until_replayed(daemon)

    assert sorted(heard.ids["default"]) == ["silent", "silent", "yes", "yes"]
    assert store.rows() == ["silent", "yes"]


async def until_replayed(daemon: Daemon) -> None:
    names = [each.destination for each in await daemon.queue.cursors()]
    await daemon.until_settled(*names)


async def test_by_default_it_is_not_stored(tmp_path: Path):
    async with running(tmp_path, DROPPING) as daemon:
        await post(daemon.gateway, *BATCH)

        assert [json.loads(each.raw)["messageId"] for each in await daemon.stored()] == ["yes", "silent"]
        assert daemon.gateway.count("events_withheld", source="web", reason="consent") == 2
        assert b"no-too" not in await daemon.written()


@pytest.mark.parametrize(
    ("browser", "headers", "kept"),
    [
        ({"mode": "consent"}, {}, {"yes": False, "no": True, "no-too": True}),
        ({"dnt": True}, {"DNT": "1"}, {}),
        ({}, {"Sec_GPC": "1"}, {"yes": False, "silent": False, "no": True, "no-too": True}),
    ],
)
async def test_silence_is_no_refusal_and_do_not_track_is_heard(
    tmp_path: Path, browser: dict[str, Any], headers: dict[str, str], kept: dict[str, bool]
):
    web = KEEPING["sources"]["web"] | {"browser": browser}
    async with running(tmp_path, {"sources": {"web": web}}) as daemon:
        await post(daemon.gateway, *BATCH, **headers)

        stored = await daemon.stored()
    assert {json.loads(each.raw)["messageId"]: each.envelope.is_refused for each in stored} == kept


async def test_the_device_of_a_visitor_who_refused_is_given_no_cookie(tmp_path: Path):
    source = {"write_keys": ["k"], "allowed_origins": ["*"], "privacy": {"refused": "keep"}}
    async with running(tmp_path, {"sources": {"web": source}}) as daemon:

        async def answer(*events: dict[str, Any]) -> dict[str, str]:
            body = json.dumps({"batch": list(events), "writeKey": "k", "anonymousId": "page"}).encode()
            said = {"Origin": "https://shop.example"}
            return (await daemon.gateway.request("POST", "/js/headwater", body, **said)).headers

        assert "set-cookie" not in await answer(event("a", analytics=False))
        assert "set-cookie" in await answer(event("b", analytics=False), event("c"))
