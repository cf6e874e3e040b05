"""What an event of Snowplow's tracker protocol becomes in the Segment spec."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from gateway.collect import refusals
from gateway.collect.dialects.snowplow import translate_body, translate_query
from gateway.collect.dialects.translation import Translation, read_dialect
from gateway.collect.digest import Digest
from gateway.collect.judge import Rules
from gateway.collect.refusals import Refusal
from gateway.model.envelope import Envelope
from gateway.model.event import canonical

RULES = Rules("", 100_000, 1_000_000, lambda: "generated")
PAYLOAD_DATA = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
CONTEXTS = "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0"
UNSTRUCT = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
WEB_PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
SESSION = "iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2"
ORDER = "iglu:com.example/order/jsonschema/1-0-0"
CLOCK_MS = 1_795_574_362_544
CLOCK = "2026-11-25T02:39:22.544Z"


def post(*payloads: Any) -> bytes:
    return json.dumps({"schema": PAYLOAD_DATA, "data": payloads}).encode()


def translated(body: bytes) -> Translation:
    result = translate_body(body, {})
    assert isinstance(result, Translation), result
    return result


def event_of(**fields: Any) -> dict[str, Any]:
    """The one event of a POST, as the next reader sees it."""
    (event,) = translated(post(fields)).events
    return orjson.loads(orjson.dumps(event))


def digested(body: bytes) -> Digest:
    """What becomes of a POST in the end."""
    result = read_dialect(translate_body, {}, body, "", 1_000_000, RULES)
    assert isinstance(result, Digest), result
    return result


def refused(body: bytes) -> list[str]:
    return [each.refusal.code for each in digested(body).rejections]


def self_describing(schema: str, data: Any) -> str:
    return json.dumps({"schema": schema, "data": data})


def contexts(*entities: tuple[str, Any]) -> str:
    return self_describing(CONTEXTS, [{"schema": schema, "data": data} for schema, data in entities])


def unstruct(schema: str, data: Any) -> str:
    return self_describing(UNSTRUCT, {"schema": schema, "data": data})


def in_base64(text: str, *, is_padded: bool) -> str:
    encoded = base64.urlsafe_b64encode(text.encode()).decode()
    return encoded if is_padded else encoded.rstrip("=")


# --- what happened


def test_a_page_view_is_a_page():
    event = event_of(e="pv", url="https://shop.example/a?q=1#top", page="Home", refr="https://search.example/")

    assert event["type"] == "page"
    assert event["name"] == "Home"
    assert event["properties"] == {
        "url": "https://shop.example/a?q=1#top",
        "path": "/a",
        "search": "?q=1",
        "title": "Home",
        "referrer": "https://search.example/",
    }


@pytest.mark.parametrize(
    ("query", "name", "properties"),
    [
        (
            "e=pp&pp_mix=0&pp_max=10&pp_miy=5&pp_may=200",
            "Page Ping",
            {"xoffset_min": 0, "xoffset_max": 10, "yoffset_min": 5, "yoffset_max": 200},
        ),
        (
            "e=se&se_ca=shop&se_ac=add&se_la=7&se_pr=pcs&se_va=2.5",
            "add",
            {"category": "shop", "label": "7", "property": "pcs", "value": 2.5},
        ),
        ("e=se&se_ac=add&se_va=a+few", "add", {"value": "a few"}),
        (
            "e=tr&tr_id=O-1&tr_af=web&tr_tt=12.99&tr_tx=3&tr_sh=0.00&tr_cu=EUR&tr_ci=Paris&tr_st=IDF&tr_co=France",
            "Order Completed",
            {"order_id": "O-1", "affiliation": "web", "total": 12.99, "tax": 3, "shipping": 0.0, "currency": "EUR"}
            | {"city": "Paris", "state": "IDF", "country": "France"},
        ),
        (
            "e=ti&ti_id=O-1&ti_sk=S&ti_nm=Mug&ti_ca=Home&ti_pr=9.98&ti_qu=5&ti_cu=EUR",
            "Product Purchased",
            {"order_id": "O-1", "sku": "S", "name": "Mug", "category": "Home", "price": 9.98, "quantity": 5}
            | {"currency": "EUR"},
        ),
    ],
)
def test_all_else_is_a_track(query: str, name: str, properties: dict[str, Any]):
    event = event_of(**dict(parse_qsl(query)))

    assert (event["type"], event["event"]) == ("track", name)
    assert event["properties"] == properties
    assert event["context"] == {"library": {"name": "snowplow"}}


def test_a_number_stays_as_it_was_written():
    (event,) = translated(post({"e": "se", "se_ac": "add", "se_va": "12345678901234567890.10"})).events

    assert b'"value":12345678901234567890.10}' in orjson.dumps(event)


@pytest.mark.parametrize("is_padded", [True, False])
def test_self_describing_json_may_be_in_base64(is_padded: bool):
    text = unstruct(ORDER, {"note": "\N{GRINNING FACE}??>>~~", "total": 59.9})
    event = event_of(
        e="ue",
        ue_px=in_base64(text, is_padded=is_padded),
        cx=in_base64(contexts((WEB_PAGE, {"id": "p"})), is_padded=is_padded),
    )

    assert event["event"] == "order"
    assert event["properties"] == {"note": "\N{GRINNING FACE}??>>~~", "total": 59.9}
    assert event["context"]["page"] == {"id": "p"}


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        (ORDER, "order"),
        ("iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1", "link_click"),
        ("iglu:com.snowplowanalytics.mobile/screen_view/jsonschema/1-0-0", "screen_view"),
    ],
)
def test_a_self_describing_event_is_named_after_its_schema_which_is_kept(schema: str, name: str):
    event = event_of(e="ue", ue_pr=unstruct(schema, {"total": 59.9, "lines": [{"sku": "S"}]}))

    assert (event["type"], event["event"]) == ("track", name)
    assert event["properties"] == {"total": 59.9, "lines": [{"sku": "S"}]}
    assert event["context"]["snowplow"] == {"schema": schema}


# --- who and when


@pytest.mark.parametrize(
    ("fields", "anonymous_id"),
    [
        ({"duid": "d", "tnuid": "n", "sid": "s"}, "d"),
        ({"tnuid": "n", "nuid": "m", "sid": "s"}, "n"),
        ({"nuid": "m", "sid": "s"}, "m"),
        ({"sid": "s"}, "s"),
        ({"co": contexts((SESSION, {"userId": "installation"})), "sid": "s"}, "installation"),
        ({"co": contexts((SESSION, {"userId": "00000000-0000-0000-0000-000000000000"})), "sid": "s"}, "s"),
        ({"co": contexts((WEB_PAGE, {"id": "page-view"}))}, "page-view"),
        ({}, "event"),
        ({"uid": "u", "co": contexts((WEB_PAGE, {"id": "page-view"}))}, None),
    ],
)
def test_who_it_was_without_a_name(fields: dict[str, str], anonymous_id: str | None):
    assert event_of(e="pv", eid="event", **fields).get("anonymousId") == anonymous_id


def test_ids_and_the_write_key_come_from_the_payload():
    translation = translated(post({"e": "pv", "uid": "u", "duid": "d", "eid": "m", "aid": "shop"}, {"aid": "other"}))

    event = translation.events[0]
    assert (event["userId"], event["anonymousId"], event["messageId"]) == ("u", "d", "m")
    assert translation.write_key == "shop"


def test_an_event_without_an_id_gets_one():
    assert digested(post({"e": "pv", "uid": "u"})).message_ids == ["generated"]


@pytest.mark.parametrize(
    ("fields", "skew_ms", "timestamp"),
    [
        pytest.param({"dtm": str(CLOCK_MS), "stm": str(CLOCK_MS + 5)}, 5, CLOCK, id="clocks agree"),
        pytest.param(
            {"dtm": str(CLOCK_MS), "stm": str(CLOCK_MS + 60_000)},
            3_660_000,
            "2026-11-25T03:39:22.544Z",
            id="the device is an hour late and sent a minute after",
        ),
        pytest.param({"dtm": "5000", "stm": "5900"}, CLOCK_MS - 5000, "2026-11-25T02:39:21.644Z", id="began in 1970"),
        pytest.param({"dtm": str(CLOCK_MS), "stm": "1795574362000"}, 20, CLOCK, id="whole seconds of sending (Python)"),
        pytest.param({"dtm": str(CLOCK_MS)}, 3_600_000, CLOCK, id="no time of sending"),
        pytest.param(
            {"dtm": str(CLOCK_MS), "stm": str(CLOCK_MS), "ttm": "1700000000000"},
            3_600_000,
            "2023-11-14T22:13:20.000Z",
            id="a true time is not corrected",
        ),
        pytest.param({"ttm": "1700000000000"}, 0, "2023-11-14T22:13:20.000Z", id="a true time alone"),
    ],
)
def test_when_it_was(fields: dict[str, str], skew_ms: int, timestamp: str):
    """`skew_ms` is what our clock says at receipt, more than `dtm` does."""
    translation = translated(post({"e": "pv", "uid": "u", **fields}))
    received_at_ms = int(fields.get("dtm", CLOCK_MS)) + skew_ms
    event = canonical(translation.events[0], Envelope("web", received_at_ms, translation.sent_at))

    assert event["timestamp"] == timestamp
    assert "snowplow" not in event["context"]


def test_a_request_was_sent_at_the_latest_time_that_its_events_say():
    sent = [{"e": "pv", "stm": stm} for stm in ("1795574362544", "1795574362549", "soon")]

    assert translated(post(*sent)).sent_at == "2026-11-25T02:39:22.549Z"
    assert translated(post({"e": "pv"})).sent_at is None


# --- where and how


def test_what_has_a_place_in_the_context_is_put_there():
    event = event_of(
        e="pv",
        tv="js-4.10.1",
        lang="de-DE",
        tz="Europe/Berlin",
        res="1280x720",
        ua="Mozilla/5.0",
        ip="192.0.2.7",
        sid="session",
        vid="3",
        url="https://shop.example?utm_source=news&utm_campaign=spring&utm_id=9&gclid=G",
        co=contexts((WEB_PAGE, {"id": "page-view"})),
    )

    assert event["context"] == {
        "library": {"name": "snowplow", "version": "js-4.10.1"},
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
        "screen": {"width": 1280, "height": 720},
        "userAgent": "Mozilla/5.0",
        "ip": "192.0.2.7",
        "sessionId": "session",
        "sessionIndex": 3,
        "campaign": {"source": "news", "name": "spring", "id": "9"},
        "page": {
            "id": "page-view",
            "url": "https://shop.example?utm_source=news&utm_campaign=spring&utm_id=9&gclid=G",
            "path": "/",
            "search": "?utm_source=news&utm_campaign=spring&utm_id=9&gclid=G",
        },
        "snowplow": {"contexts": [{"schema": WEB_PAGE, "data": {"id": "page-view"}}]},
    }


def test_a_mobile_session_is_an_entity():
    event = event_of(e="ue", co=contexts((SESSION, {"userId": "i", "sessionId": "s", "sessionIndex": 2})))

    assert (event["context"]["sessionId"], event["context"]["sessionIndex"]) == ("s", 2)


def test_what_has_no_place_is_kept_as_it_was_sent():
    kept = {
        "aid": "shop",
        "p": "web",
        "tna": "sp",
        "vp": "1280x720",
        "ds": "1x1",
        "cd": "24",
        "cs": "UTF-8",
        "new": "1",
    }

    assert event_of(e="pv", **kept)["context"]["snowplow"] == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dtm", "yesterday"),
        ("dtm", "1" * 40),
        ("ttm", "-5"),
        ("res", "large"),
        ("co", "{"),
        ("co", self_describing(CONTEXTS, "none")),
        ("cx", "!"),
        ("cx", in_base64("[]", is_padded=True)),
        ("ue_px", "\N{SNOWMAN}"),
        ("lang", ["de"]),
        ("uid", {"id": 1}),
        ("eid", True),
    ],
)
def test_what_cannot_be_read_is_kept_as_well(name: str, value: Any):
    assert event_of(e="pp", **{name: value})["context"]["snowplow"] == {name: value}


def test_empty_fields_say_nothing():
    assert event_of(e="pv", cx="", uid="", refr=None)["context"] == {"library": {"name": "snowplow"}}


@pytest.mark.parametrize("url", ["http://[", "https://shop.example:port/", "", "//", "a b"])
def test_an_odd_address_is_kept(url: str):
    assert translated(post({"e": "pv", "url": url})).events[0]["context"].get("page", {}).get("url", "") == url


def test_numbers_that_are_not_texts_are_taken():
    event = event_of(e="se", se_ac=7, se_va=2, dtm=CLOCK_MS, uid="u", vid=1)

    assert (event["event"], event["properties"]["value"]) == ("7", 2)
    assert event["originalTimestamp"] == CLOCK
    assert event["context"]["sessionIndex"] == 1


def test_the_query_of_a_get_is_an_event():
    query = {"e": "se", "se_ac": "add", "uid": "u", "eid": "m", "aid": "shop", "stm": str(CLOCK_MS)}

    assert translate_query(b"", query) == Translation("shop", translated(post(query)).events, CLOCK)


# --- what is refused


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"e": "xx", "uid": "u"}, "invalid_type"),
        ({"uid": "u"}, "invalid_type"),
        ({"e": {"e": "pv"}, "uid": "u"}, "invalid_type"),
        ({"e": "pv"}, "missing_user"),
        ({"e": "se", "uid": "u"}, "missing_event_name"),
        ({"e": "ue", "uid": "u", "ue_px": "!"}, "missing_event_name"),
        ({"e": "ue", "uid": "u", "ue_pr": unstruct("order", {})}, "missing_event_name"),
        ({"e": "pv", "uid": "u" * 513}, "id_too_long"),
        ({"e": "pv", "uid": "u", "eid": "m" * 257}, "message_id_too_long"),
        ({"e": "pv", "uid": "u", "page": "x" * 100_000}, "event_too_large"),
        ({"e": "pv", "uid": "u", "co": contexts((ORDER, json.loads("[" * 70 + "]" * 70)))}, "too_deep"),
        ({"e": "pv", "uid": "u", "more": json.loads("[" * 300 + "]" * 300)}, "too_deep"),
        ("pv", "not_an_object"),
        (None, "not_an_object"),
    ],
)
def test_a_bad_event_is_refused_alone(payload: Any, code: str):
    body = post({"e": "pv", "uid": "u", "eid": "before"}, payload, {"e": "pv", "uid": "u", "eid": "after"})

    assert refused(body) == [code]
    assert digested(body).message_ids == ["before", "after"]


def test_an_event_may_be_as_deep_as_any_other():
    """The request's frame takes two of the 64 levels; the event, context, snowplow, contexts and the entity five."""
    deepest = json.loads("[" * 57 + "]" * 57)

    assert refused(post({"e": "pv", "uid": "u", "co": contexts((ORDER, deepest))})) == []


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", refusals.EMPTY_BODY),
        (b" \n", refusals.EMPTY_BODY),
        (b"e=pv", refusals.INVALID_JSON),
        (b"[]", refusals.INVALID_PAYLOAD),
        (b"5", refusals.INVALID_PAYLOAD),
        (b'{"schema":"x"}', refusals.INVALID_PAYLOAD),
        (b'{"data":{"e":"pv"}}', refusals.INVALID_PAYLOAD),
        (b"[" * 100_000, refusals.TOO_DEEP),
    ],
)
def test_a_body_that_is_no_payload_is_refused(body: bytes, refusal: Refusal):
    assert translate_body(body, {}) == refusal
