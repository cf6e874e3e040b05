"""The page's own cookies on their way from a request to a destination."""

import json
from typing import Any

import pytest

from gateway.destinations.fields import cookie
from gateway.model.envelope import Envelope
from gateway.model.event import canonical
from tests.integration.collect.support.gateway import Gateway, Serve

SHOP = "https://shop.example"
HEADER = "hw=id-of-cookie.20000; _ga=GA1.1.2.3; _fbp=fb.1.2.3; session=s3cret"
ANALYTICS, MARKETING = ("_ga", "GA1.1.2.3"), ("_fbp", "fb.1.2.3")


def sections(**source: Any) -> dict[str, Any]:
    cookies = {"analytics": ["_ga*", "hw"], "marketing": ["_fbp"]}
    return {"sources": {"web": {"write_keys": ["k"], "allowed_origins": [SHOP], "cookies": cookies, **source}}}


def event(**said: bool) -> dict[str, Any]:
    return {
        "type": "page",
        "messageId": f"m{said}",
        "anonymousId": "page",
        "context": {"consent": {"categoryPreferences": said}},
    }


async def post(gateway: Gateway, *events: dict[str, Any], frame: dict[str, Any] | None = None, **headers: str) -> None:
    body = {"batch": list(events), "writeKey": "k", "anonymousId": "page", **(frame or {})}
    said = {"Origin": SHOP, "Cookie": HEADER} | headers
    answer = await gateway.request("POST", "/js/headwater", json.dumps(body).encode(), **said)
    assert answer.status == 200


def envelopes(gateway: Gateway) -> list[Envelope]:
    return list(dict.fromkeys(envelope for envelope, _ in gateway.queue.stored))


@pytest.mark.parametrize(
    ("source", "events", "headers", "kept"),
    [
        ({}, [event()], {}, (ANALYTICS, MARKETING)),
        ({}, [event(marketing=False)], {}, (ANALYTICS,)),
        ({}, [event(), event(marketing=False)], {}, (ANALYTICS,)),
        ({}, [event()], {"Sec_GPC": "1"}, (ANALYTICS,)),
        ({"browser": {"gpc": False}}, [event()], {"Sec_GPC": "1"}, (ANALYTICS, MARKETING)),
        ({"browser": {"mode": "consent"}}, [event(analytics=True)], {}, (ANALYTICS,)),
        (
            {"browser": {"mode": "consent"}},
            [event(analytics=True, marketing=True)],
            {},
            (ANALYTICS, MARKETING),
        ),
        ({"browser": {"mode": "cookieless"}}, [event()], {}, ()),
        ({"browser": {"mode": "cookieless"}}, [event(analytics=True)], {}, (ANALYTICS,)),
        ({"privacy": {"refused": "keep"}}, [event(analytics=False)], {}, ()),
        ({"cookies": {}}, [event()], {}, ()),
    ],
)
async def test_they_are_kept_as_far_as_owner_and_visitor_allow(
    serve: Serve, source: dict[str, Any], events: list[Any], headers: dict[str, str], kept: tuple[Any, ...]
):
    gateway = await serve(**sections(**source))

    await post(gateway, *events, **headers)

    (envelope,) = envelopes(gateway)
    assert envelope.cookies == kept


@pytest.mark.parametrize("identity", ["cookieless", "erase"])
async def test_a_visitor_who_is_not_to_be_known_again_brings_none(serve: Serve, identity: str):
    gateway = await serve(**sections())

    await post(gateway, event(analytics=True, marketing=True), frame={"identity": identity})

    assert [each.cookies for each in envelopes(gateway)] == [()]


async def test_what_one_visitor_of_a_mixed_batch_refused_has_none(serve: Serve):
    gateway = await serve(**sections(privacy={"refused": "keep"}))

    await post(gateway, event(analytics=True), event(analytics=False))

    assert [(each.is_refused, each.cookies) for each in envelopes(gateway)] == [
        (False, (ANALYTICS, MARKETING)),
        (True, ()),
    ]


async def test_destinations_find_them_and_privacy_rules_hold(serve: Serve):
    gateway = await serve(**sections(cookies={"analytics": ["*"]}, privacy={"emails": "remove"}))

    await post(gateway, event(), Cookie="_ga=GA1.1.2.3; mail=ada%40shop.example")

    ((envelope, raw),) = gateway.queue.stored
    shown = canonical(json.loads(raw), envelope)
    assert (cookie(shown, "_ga"), cookie(shown, "mail"), cookie(shown, "hw")) == ("GA1.1.2.3", None, None)
    assert shown["context"]["cookies"] == {"_ga": "GA1.1.2.3", "mail": ""}


async def test_a_pixel_brings_them_too(serve: Serve):
    gateway = await serve(**sections())

    assert (await gateway.request("GET", "/js/headwater?event=Opened", Cookie=HEADER)).status == 200

    assert [each.cookies for each in envelopes(gateway)] == [(ANALYTICS, MARKETING)]
