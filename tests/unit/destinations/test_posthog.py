"""PostHog: what its pages and its own library say, beside what the golden files show."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from posthog.client import Client
from posthog.request import EVENTS_ENDPOINT, post
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.posthog import POSTHOG, PosthogSettings, session_id
from gateway.model.event import parse_time
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry
from tests.vendors.events import AT_MS, ENVELOPE, event, seen

UUID7 = "0193591a-8f10-7c3e-a5d2-8b6f2f0c1d22"
AT = "2026-11-25T11:59:00.000Z"
OF_THE_LIBRARY = (
    "$python_runtime",
    "$python_version",
    "$os",
    "$os_version",
    "$os_distro",
    "$lib",
    "$lib_version",
    "$is_server",
)
"""What posthog-python says of itself."""
DAY_MS = 86_400_000


def settings(**more: Any) -> PosthogSettings:
    return PosthogSettings.model_validate({"api_key": "phc_s3cret", **more})


def messages(raw: dict[str, Any], **more: Any) -> list[Message]:
    return list(POSTHOG.map(seen(raw), settings(**more)))


def body_of(raw: dict[str, Any], **more: Any) -> dict[str, Any]:
    (message,) = messages(raw, **more)
    found: dict[str, Any] = message.body
    return found


def bare(**fields: Any) -> dict[str, Any]:
    """Our body for an event of which nothing is known but what it says."""
    raw = {"messageId": UUID7, "timestamp": AT, "type": "track", "context": {}, **fields}
    (message,) = POSTHOG.map(seen(raw, ENVELOPE._replace(ip="", user_agent="")), settings(group_type="company"))
    return comparable(message.body)


def of_the_library(say: Callable[[Client], object]) -> dict[str, Any]:
    """What PostHog's library would queue, short of what it says of itself."""
    queued: list[dict[str, Any]] = []
    client = Client("phc_s3cret", send=False, before_send=lambda message: queued.append(message) or message)
    say(client)
    (message,) = queued
    message["properties"] = {key: said for key, said in message["properties"].items() if key not in OF_THE_LIBRARY}
    return comparable(message)


def comparable(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "timestamp": parse_time(body["timestamp"])}


class Kept:
    """Stands where the library has its HTTP session and the answer; keeps what would be sent."""

    status_code = 200

    def post(self, url: str, data: str, headers: dict[str, str], **_: float) -> "Kept":
        self.url, self.body, self.headers = url, json.loads(data), headers
        return self


def test_a_track_is_what_posthogs_library_makes_of_it():
    ours = bare(userId="u1", event="Signed Up", properties={"plan": "pro"}, context={"groupId": "g1"})

    assert ours == of_the_library(
        lambda client: client.capture(
            "Signed Up",
            distinct_id="u1",
            properties={"plan": "pro"},
            groups={"company": "g1"},
            timestamp=AT,
            uuid=UUID7,
        )
    )


def test_an_event_of_nobody_is_what_posthogs_library_makes_of_it():
    ours = bare(event="Signed Up", anonymousId="undefined")
    theirs = of_the_library(lambda client: client.capture("Signed Up", timestamp=AT, uuid=UUID7))

    assert ours["distinct_id"] == UUID7
    assert ours == {**theirs, "distinct_id": UUID7}


def test_an_alias_is_what_posthogs_library_makes_of_it():
    """Its `previous_id` is who is kept."""
    ours = bare(type="alias", userId="u1", previousId="lead-1")

    assert ours == of_the_library(lambda client: client.alias("u1", "lead-1", timestamp=AT, uuid=UUID7))


def test_a_group_is_what_posthogs_library_makes_of_it_and_its_member_is_counted_to_it():
    ours = bare(type="group", userId="u1", groupId="g1", traits={"name": "Acme"})

    theirs = of_the_library(
        lambda client: client.group_identify(
            "company", "g1", {"name": "Acme"}, distinct_id="u1", timestamp=AT, uuid=UUID7
        )
    )
    assert ours["properties"].pop("$groups") == {"company": "g1"}
    assert ours == theirs


def test_the_request_is_the_one_of_posthogs_library_but_for_the_time_of_sending():
    """By `sent_at` PostHog would correct times once more."""
    kept, payload = Kept(), Payload("m1", b'{"event":"Signed Up"}', "2026-11-25")

    ours = POSTHOG.request([payload], settings(), Sending(AT_MS))
    post("phc_s3cret", None, EVENTS_ENDPOINT, session=kept, batch=[{"event": "Signed Up"}], historical_migration=False)

    assert isinstance(ours, Request)
    assert ours.url == kept.url
    assert ours.headers["content-type"] == kept.headers["Content-Type"]
    assert {**json.loads(ours.body), "sent_at": kept.body["sent_at"]} == kept.body


@pytest.mark.parametrize(
    ("message_id", "uuid"),
    [(UUID7, UUID7), (UUID7.upper(), UUID7), ("order-77", "0f219e68-20cd-5894-9b12-d1a35accc2c8")],
)
def test_the_uuid_is_the_message_id_or_made_of_it(message_id: str, uuid: str):
    assert body_of(event(1, event="x", messageId=message_id))["uuid"] == uuid


@pytest.mark.parametrize(
    ("user_id", "more", "profile"),
    [("u1", {}, None), (None, {}, False), (None, {"anonymous_profiles": True}, None), ("guest", {}, False)],
)
def test_visitors_have_no_profile_unless_the_owner_pays_for_it(
    user_id: str | None, more: dict[str, Any], profile: bool | None
):
    assert body_of(event(1, event="x", userId=user_id), **more)["properties"].get("$process_person_profile") is profile


@pytest.mark.parametrize("visitor_id", [None, "u1", "distinct_id", "undefined"])
def test_nobody_is_merged_who_is_nobody_or_the_same(visitor_id: str | None):
    said = body_of(event(1, type="identify", userId="u1", anonymousId=visitor_id, traits={"plan": "pro"}))

    assert said["event"] == "$identify"
    assert "$anon_distinct_id" not in said["properties"]


def test_traits_of_a_visitor_are_told_where_visitors_have_profiles():
    raw = event(1, type="identify", userId=None, anonymousId="d1", traits={"plan": "pro"})

    assert messages(raw) == []
    said = body_of(raw, anonymous_profiles=True)
    assert (said["event"], said["distinct_id"], said["properties"]["$set"]) == ("$set", "d1", {"plan": "pro"})


@pytest.mark.parametrize(
    "fields",
    [{"previousId": "user-1"}, {"previousId": "email"}, {"previousId": "lead-1", "userId": None}],
)
def test_an_alias_of_nobody_is_not_told(fields: dict[str, Any]):
    assert messages(event(1, type="alias", **fields)) == []


def test_groups_are_told_where_their_type_is_known():
    assert messages(event(1, type="group", groupId="g1")) == []
    assert "$groups" not in body_of(event(1, event="x", context={"groupId": "g1"}))["properties"]


def test_what_a_posthog_library_said_in_properties_stays():
    said = {"$current_url": "https://other.example/", "$session_id": UUID7, "$set": {"plan": "pro"}}

    assert said.items() <= body_of(event(1, event="x", properties=said))["properties"].items()


def test_without_the_visitors_address_posthog_is_kept_from_looking_up_ours():
    assert "$geoip_disable" not in body_of(event(1, event="x", context={}))["properties"]
    assert bare(event="x", userId="u1")["properties"] == {"$geoip_disable": True}


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        (AT_MS - 60_000, True),
        (AT_MS // 1000 - 3600, True),
        (AT_MS - 60_000 - DAY_MS + 1, True),
        (AT_MS - 60_000 - DAY_MS, False),
        (AT_MS, False),
        ("s1", False),
        (-1, False),
        (None, False),
    ],
)
def test_a_session_is_told_where_posthog_would_count_the_event_into_it(said: object, is_told: bool):
    assert (session_id(seen(event(1, event="x", context={"sessionId": said}))) is not None) is is_told


def test_a_session_is_a_uuid_of_version_7_that_begins_with_its_start_and_is_one_visitors():
    context = {"sessionId": 1795606800000}
    first = session_id(seen(event(1, event="x", anonymousId="d1", context=context)))

    assert first == "01a21281-6680-72df-85ad-77e16d3f315b"
    assert first == session_id(seen(event(2, event="y", anonymousId="d1", context=context)))
    assert first != session_id(seen(event(3, event="x", anonymousId="d2", context=context)))
    assert session_id(seen(event(4, event="x", anonymousId=None, context=context))) is None


@pytest.mark.parametrize(
    ("day", "is_history"),
    [("2026-11-25", False), ("2026-11-23", False), ("2026-11-22", True), ("2020-01-01", True), ("", False)],
)
def test_a_day_is_history_once_all_of_it_is_older_than_48_hours(day: str, is_history: bool):
    noon = Sending(AT_MS)

    request = POSTHOG.request([Payload("m", b"{}", day)], settings(), noon)

    assert isinstance(request, Request)
    assert json.loads(request.body)["historical_migration"] is is_history


def test_days_do_not_share_a_request():
    first, second = (messages(event(1, event="x", timestamp=at))[0] for at in (AT, "2026-11-24T23:59:59.999Z"))

    assert (first.key, second.key) == ("2026-11-25", "2026-11-24")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Response(200, {}, b'{"status":"Ok"}'), Delivered()),
        (Response(200, {}, b'{"status":1}'), Delivered()),
        (Response(200, {}, b'{"status":"Ok","quota_limited":["recordings"]}'), Delivered()),
        (Response(200, {}, b'{"status":"Ok","quota_limited":["events"]}'), Halt("quota_limited: events")),
        (Response(429, {}, b"billing limit reached"), Halt("HTTP 429: billing limit reached")),
        (Response(429, {}, b"rate limited"), Retry("HTTP 429")),
        (Response(401, {}, b"API key is not valid: personal_api_key"), Halt("HTTP 401")),
        (Response(400, {}, b"maximum event size exceeded"), Reject("HTTP 400: maximum event size exceeded")),
        (Response(503, {}, b"transient error, please retry"), Retry("HTTP 503")),
    ],
)
def test_the_answers_of_posthogs_capture_service(answer: Response, outcome: Outcome):
    assert POSTHOG.classify(answer, []) == outcome


@pytest.mark.parametrize(
    ("more", "host"),
    [
        ({}, "https://us.i.posthog.com"),
        ({"region": "eu"}, "https://eu.i.posthog.com"),
        ({"base_url": "https://posthog.shop.example/"}, "https://posthog.shop.example"),
    ],
)
def test_the_region_says_where_and_an_address_says_it_better(more: dict[str, Any], host: str):
    request = POSTHOG.request([Payload("m", b"{}", "2026-11-25")], settings(**more), Sending(AT_MS))

    assert isinstance(request, Request)
    assert request.url == f"{host}/batch/"


@pytest.mark.parametrize(
    "given", [{}, {"api_key": "phc_s3cret", "region": "in"}, {"api_key": "phc_s3cret", "base_url": "x"}]
)
def test_settings_that_could_not_work_are_refused(given: dict[str, Any]):
    with pytest.raises(ValidationError):
        PosthogSettings.model_validate(given)
