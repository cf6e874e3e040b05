"""Mixpanel: what its reference and its guides say, beside what the golden files show."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.mixpanel import MIXPANEL, MixpanelSettings
from gateway.model.outcome import Delivered, Halt, Partial, Reject, Retry
from tests.vendors.events import ENVELOPE, event, seen

ORIGINAL = {"id_merge": "original"}
UUID4 = "8a66058c-a56d-4ef6-8123-28b7c9f7e82f"
UUID7 = "0193591a-8f10-7c3e-a5d2-8b6f2f0c1d22"


def settings(**more: Any) -> MixpanelSettings:
    return MixpanelSettings.model_validate({"token": "s3cret", **more})


def messages(raw: dict[str, Any], **more: Any) -> list[Message]:
    return list(MIXPANEL.map(seen(raw), settings(**more)))


def properties_of(raw: dict[str, Any], **more: Any) -> dict[str, Any]:
    (message,) = messages(raw, **more)
    found: dict[str, Any] = message.body["properties"]
    return found


def track(**fields: Any) -> dict[str, Any]:
    return event(1, event="Signed Up", context={}, **fields)


def request_of(key: str, **more: Any) -> Request:
    made = MIXPANEL.request(
        [Payload("m1", b'{"a":1}', key), Payload("m2", b'{"b":2}', key)], settings(**more), Sending(0)
    )
    assert isinstance(made, Request)
    return made


def classified(response: Response, count: int = 3) -> object:
    return MIXPANEL.classify(response, [Payload(f"m{n}", b"{}", "import") for n in range(count)])


@pytest.mark.parametrize(
    ("user_id", "visitor_id", "ids"),
    [
        (None, "d1", {"distinct_id": "$device:d1", "$device_id": "d1"}),
        ("u1", "d1", {"distinct_id": "u1", "$device_id": "d1", "$user_id": "u1"}),
        ("u1", None, {"distinct_id": "u1", "$user_id": "u1"}),
        ("u1", "u1", {"distinct_id": "u1", "$user_id": "u1"}),
        ("undefined", "d1", {"distinct_id": "$device:d1", "$device_id": "d1"}),
        ("<nil>", "anon", {"distinct_id": ""}),
        (None, None, {"distinct_id": ""}),
    ],
)
def test_simplified_id_merge_is_told_device_and_user(user_id: str | None, visitor_id: str | None, ids: dict[str, str]):
    said = properties_of(track(userId=user_id, anonymousId=visitor_id))

    assert {key: value for key, value in said.items() if key in ("distinct_id", "$device_id", "$user_id")} == ids


def test_in_original_id_merge_a_visitor_is_known_by_the_anonymous_id_as_it_is():
    assert properties_of(track(userId=None, anonymousId="d1"), **ORIGINAL)["distinct_id"] == "d1"


@pytest.mark.parametrize(
    ("message_id", "insert_id"),
    [
        (UUID7, UUID7),
        ("order-77", "order-77"),
        ("a" * 36, "a" * 36),
        ("ajs-next-1795607940000-0193591a-8f10-7c3e", "113bec67-7d71-5756-b9cd-e053db88b119"),
    ],
)
def test_the_insert_id_is_the_message_id_where_mixpanel_takes_it(message_id: str, insert_id: str):
    assert properties_of(track(messageId=message_id))["$insert_id"] == insert_id


@pytest.mark.parametrize("message_id", ["a" * 37, "order_77", "ümlaut", "none", "0", "with space"])
def test_any_other_message_id_becomes_the_same_valid_one_every_time(message_id: str):
    first, second = (properties_of(track(messageId=message_id))["$insert_id"] for _ in range(2))

    assert first == second != message_id
    assert len(first) == 36
    assert first.replace("-", "").isalnum()


def test_an_event_from_the_future_happened_when_it_came():
    (message,) = messages(track(timestamp="2026-11-25T14:00:00.000Z"))

    assert message.body["properties"]["time"] == ENVELOPE.received_at_ms
    assert message.repairs == ["time_in_the_future"]


def test_an_hour_ahead_is_borne():
    (message,) = messages(track(timestamp="2026-11-25T13:00:00.000Z"))

    assert message.body["properties"]["time"] == ENVELOPE.received_at_ms + 3_600_000
    assert message.repairs == []


@pytest.mark.parametrize(
    ("said", "told", "repair"),
    [
        ({"list": list(range(300))}, {"list": list(range(254))}, "too_long_list"),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, {"a": {"b": {"c": {"d": '{"e":1}'}}}}, "nested_too_deep"),
        ({"bucket": 1, "$ignore": True, "plan": "pro"}, {"plan": "pro"}, "reserved_property"),
        ({"token": "another-projects"}, {}, "reserved_property"),
    ],
)
def test_what_mixpanel_would_not_take_is_cut_and_counted(said: dict[str, Any], told: dict[str, Any], repair: str):
    (message,) = messages(track(properties=said))

    fixed = {"distinct_id", "$user_id", "$device_id", "time", "$insert_id", "ip", "$os"}
    assert {key: value for key, value in message.body["properties"].items() if key not in fixed} == told
    assert message.repairs == [repair]


def test_of_too_many_properties_those_that_the_event_needs_stay():
    (message,) = messages(track(properties={f"p{n}": n for n in range(400)}))

    assert len(message.body["properties"]) == 254
    assert {"distinct_id", "time", "$insert_id", "ip"} < set(message.body["properties"])
    assert message.repairs == ["too_many_properties"]


def test_properties_cannot_change_who_when_and_which_event_it_was():
    said = properties_of(
        track(properties={"distinct_id": "x", "time": 1, "$insert_id": "x", "ip": "x", "$user_id": "x"})
    )

    assert said["distinct_id"] == said["$user_id"] == "user-1"
    assert said["$insert_id"] == "msg-000001"
    assert said["ip"] == "203.0.113.9"


def test_without_the_visitors_address_mixpanel_is_kept_from_looking_up_ours():
    unknown = ENVELOPE._replace(ip="")

    (told,) = MIXPANEL.map(seen(track(), unknown), settings())
    (profile,) = MIXPANEL.map(seen(event(1, type="identify", context={}, traits={"plan": "pro"}), unknown), settings())

    assert told.body["properties"]["ip"] == 0
    assert profile.body["$ip"] == "0"


def test_a_visitor_gets_no_profile_and_a_user_without_traits_no_update():
    assert messages(event(1, type="identify", userId=None, traits={"plan": "pro"})) == []
    assert messages(event(1, type="identify", context={}, traits={})) == []


@pytest.mark.parametrize("visitor_id", [UUID7, "d1", "anonymous", None])
def test_original_id_merge_takes_no_anonymous_id_but_a_uuid_of_version_4(visitor_id: str | None):
    told = messages(event(1, type="identify", anonymousId=visitor_id, context={}, traits={"plan": "pro"}), **ORIGINAL)

    assert [message.key for message in told] == ["engage"]


def test_a_merge_goes_before_the_profile():
    told = messages(event(1, type="identify", anonymousId=UUID4, context={}, traits={"plan": "pro"}), **ORIGINAL)

    assert [message.key for message in told] == ["import", "engage"]


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"previousId": "lead-1"}, {}),
        ({"previousId": "user-1"}, ORIGINAL),
        ({"previousId": "undefined"}, ORIGINAL),
        ({"previousId": "lead-1", "userId": None}, ORIGINAL),
    ],
)
def test_an_alias_that_says_nothing_to_mixpanel_is_not_told(fields: dict[str, Any], more: dict[str, Any]):
    assert messages(event(1, type="alias", **fields), **more) == []


def test_groups_are_told_where_their_key_is_known():
    raw = event(1, type="group", groupId="g1", traits={"name": "Acme"})

    assert messages(raw) == []
    assert [message.key for message in messages(raw, group_key="company_id")] == ["groups", "engage"]


def test_a_group_does_not_get_the_traits_of_its_member():
    raw = event(1, type="group", groupId="g1", context={"traits": {"email": "ada@example.com"}})

    (message,) = messages(raw, group_key="company_id")

    assert message.key == "engage"
    assert message.body["$union"] == {"company_id": ["g1"]}


def test_a_visitor_joins_no_group():
    raw = event(1, type="group", groupId="g1", userId=None, traits={"name": "Acme"})

    assert [message.key for message in messages(raw, group_key="company_id")] == ["groups"]


def test_pages_and_screens_are_called_as_the_owner_says():
    page, screen = event(1, type="page", name="Home"), event(2, type="screen", name="Start")

    assert messages(page)[0].body["event"] == "$mp_web_page_view"
    assert messages(page, page_event="Loaded a Page")[0].body["event"] == "Loaded a Page"
    assert messages(screen)[0].body["event"] == "Loaded a Screen"
    assert messages(screen, screen_event="Viewed")[0].body["event"] == "Viewed"


@pytest.mark.parametrize(
    ("more", "host"),
    [
        ({}, "https://api.mixpanel.com"),
        ({"region": "eu"}, "https://api-eu.mixpanel.com"),
        ({"region": "in"}, "https://api-in.mixpanel.com"),
        ({"region": "eu", "base_url": "http://proxy.example/mp/"}, "http://proxy.example/mp"),
    ],
)
def test_the_region_says_where_and_an_address_says_it_better(more: dict[str, Any], host: str):
    assert request_of("engage", **more).url == f"{host}/engage?strict=1&verbose=1"


def test_the_bodies_are_members_of_an_array_as_they_are():
    request = request_of("import")

    assert request.body == b'[{"a":1},{"b":2}]'
    assert json.loads(request.body) == [{"a": 1}, {"b": 2}]


def test_profiles_are_sent_without_credentials_for_each_holds_the_token():
    assert "authorization" not in request_of("engage").headers
    assert "authorization" not in request_of("groups").headers


def test_the_vendors_limits():
    chosen = settings()

    assert MIXPANEL.batch_events(chosen, "import") == 2000
    assert MIXPANEL.batch_events(chosen, "engage") == 2000
    assert MIXPANEL.batch_events(chosen, "groups") == 200


def test_a_400_of_import_is_a_success_but_for_those_that_it_names():
    """The answer is the one of the vendor's page."""
    answer = {
        "code": 400,
        "error": "some data points in the request failed validation",
        "failed_records": [
            {
                "index": 0,
                "$insert_id": "8a66058c-a56d-4ef6-8123-28b7c9f7e82f",
                "field": "properties.time",
                "message": "properties.time' is invalid: must be specified as seconds since epoch",
            },
            {
                "index": 2,
                "$insert_id": "29fc2962-6d9c-455d-95ad-95b84f09b9e4",
                "field": "properties.utm_source",
                "message": "properties.utm_source is invalid: string should be valid utf8",
            },
        ],
        "num_records_imported": 1,
        "status": "Bad Request",
    }

    assert classified(Response(400, {}, json.dumps(answer).encode())) == Partial(
        [
            Reject("properties.time: properties.time' is invalid: must be specified as seconds since epoch"),
            Delivered(),
            Reject("properties.utm_source: properties.utm_source is invalid: string should be valid utf8"),
        ]
    )


@pytest.mark.parametrize("records", [[], [{"index": 9}], [{"index": "0"}], [None], "all", [{"insert_id": "x"}]])
def test_a_400_that_names_nobody_is_a_refusal_of_all(records: object):
    answer = json.dumps({"code": 400, "failed_records": records}).encode()

    assert isinstance(classified(Response(400, {}, answer)), Reject)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b'{"code":200,"num_records_imported":3,"status":"OK"}', Delivered),
        (200, b'{"error":null,"status":1}', Delivered),
        (200, b"1", Delivered),
        (200, b'{"error":"data, missing or empty","status":0}', Reject),
        (200, b"0", Reject),
        (401, b'{"code":401,"error":"Invalid credentials","status":"Unauthorized"}', Halt),
        (413, b'{"code":413,"error":"request exceeds max limit of 2097152 bytes"}', Reject),
        (429, b'{"code":429,"error":"Project exceeded rate limits."}', Retry),
        (503, b'{"failed_records":[{"index":0}]}', Retry),
    ],
)
def test_the_answers_of_the_vendors_pages(status: int, body: bytes, outcome: type):
    assert isinstance(classified(Response(status, {}, body)), outcome)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"token": "s3cret", "region": "jp"},
        {"token": "s3cret", "id_merge": "legacy"},
        {"token": "s3cret", "base_url": "api.mixpanel.com"},
        {"token": "s3cret", "service_account": "a", "service_account_secret": "s3cret"},
        {"token": "s3cret", "service_account": "a", "project_id": "4711"},
    ],
)
def test_settings_that_could_not_work_are_refused(given: dict[str, Any]):
    with pytest.raises(ValidationError):
        MixpanelSettings.model_validate(given)
