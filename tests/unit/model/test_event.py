"""The canonical event: whose clock is believed, and what the gateway fills in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.envelope import Envelope
from gateway.model.event import canonical, corrected_timestamp, parse_time, to_iso

RECEIVED_AT = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
RECEIVED_AT_MS = int(RECEIVED_AT.timestamp() * 1000)


def envelope(sent_at: str | float | None = None, ip: str = "203.0.113.9", user_agent: str = "Test/1") -> Envelope:
    return Envelope("web", RECEIVED_AT_MS, sent_at, ip, user_agent)


def test_a_client_clock_that_is_an_hour_slow_is_corrected_by_the_skew():
    event = {"timestamp": "2026-11-25T10:59:50Z"}

    corrected = corrected_timestamp(event, envelope(sent_at="2026-11-25T11:00:00Z"))

    assert corrected == RECEIVED_AT - timedelta(seconds=10)


def test_a_minute_or_less_between_the_clocks_is_network_delay_and_changes_nothing():
    event = {"timestamp": "2026-11-25T11:59:00Z"}

    corrected = corrected_timestamp(event, envelope(sent_at="2026-11-25T11:59:00Z"))

    assert to_iso(corrected) == "2026-11-25T11:59:00.000Z"


def test_the_events_own_sent_at_counts_when_the_batch_has_none():
    event = {"timestamp": "2026-11-25T09:00:00Z", "sentAt": "2026-11-25T10:00:00Z"}

    assert corrected_timestamp(event, envelope()) == RECEIVED_AT - timedelta(hours=1)


def test_history_given_beside_an_original_timestamp_is_not_corrected():
    event = {"timestamp": "2020-01-01T00:00:00Z", "originalTimestamp": "2026-11-25T10:00:00Z"}

    corrected = corrected_timestamp(event, envelope(sent_at="2026-11-25T10:00:00Z"))

    assert to_iso(corrected) == "2020-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "claimed",
    ["2026-11-26T12:00:01Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "not a time", "", None, True, {}, 1e300],
)
def test_a_time_that_cannot_be_is_replaced_by_the_time_of_receipt(claimed: object):
    assert corrected_timestamp({"timestamp": claimed}, envelope()) == RECEIVED_AT


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-25T12:00:00Z", "2026-11-25T12:00:00.000Z"),
        ("2026-11-25T12:00:00.123Z", "2026-11-25T12:00:00.123Z"),
        ("2026-11-25T12:00:00.123456+00:00", "2026-11-25T12:00:00.123Z"),
        ("2026-11-25T14:00:00+02:00", "2026-11-25T12:00:00.000Z"),
        ("2026-11-25 12:00:00", "2026-11-25T12:00:00.000Z"),
        ("2026-11-25", "2026-11-25T00:00:00.000Z"),
        (1_795_608_000_000, "2026-11-25T12:00:00.000Z"),
        (1_795_608_000, "2026-11-25T12:00:00.000Z"),
        ("1795608000000", "2026-11-25T12:00:00.000Z"),
    ],
)
def test_the_forms_of_time_that_sdks_send_are_read(written: object, meant: str):
    parsed = parse_time(written)

    assert parsed is not None
    assert to_iso(parsed) == meant


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none(), st.lists(st.text())))
def test_whatever_a_client_calls_a_time_never_raises(value: object):
    parsed = parse_time(value)

    assert parsed is None or parsed.tzinfo is UTC


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2026, 11, 26)),  # noqa: DTZ001 - hypothesis wants naive bounds
    st.timedeltas(min_value=timedelta(days=-3000), max_value=timedelta(days=3000)),
)
def test_the_corrected_time_is_always_one_that_every_warehouse_takes(claimed: datetime, skew: timedelta):
    event = {"timestamp": claimed.isoformat()}

    corrected = corrected_timestamp(event, envelope(sent_at=(RECEIVED_AT + skew).isoformat()))

    assert datetime(1970, 1, 1, tzinfo=UTC) <= corrected <= RECEIVED_AT + timedelta(hours=24)


def test_the_clients_own_times_are_kept_beside_the_corrected_one():
    event = {"type": "track", "messageId": "m", "timestamp": "2026-11-25T09:00:00Z"}

    result = canonical(event, envelope(sent_at="2026-11-25T10:00:00Z"))

    assert result["timestamp"] == "2026-11-25T11:00:00.000Z"
    assert result["originalTimestamp"] == "2026-11-25T09:00:00Z"
    assert result["sentAt"] == "2026-11-25T10:00:00Z"
    assert result["receivedAt"] == "2026-11-25T12:00:00.000Z"


def test_ip_and_user_agent_come_from_the_connection_unless_the_client_says_otherwise():
    said = canonical({"context": {"ip": "198.51.100.1", "userAgent": "Visitor/2"}}, envelope())
    silent = canonical({}, envelope())

    assert said["context"] == {"ip": "198.51.100.1", "userAgent": "Visitor/2"}
    assert silent["context"] == {"ip": "203.0.113.9", "userAgent": "Test/1"}


def test_the_stored_event_is_not_changed_by_reading_it():
    event = {"context": {"page": {"path": "/"}}, "timestamp": "2026-11-25T09:00:00Z"}

    canonical(event, envelope())

    assert event == {"context": {"page": {"path": "/"}}, "timestamp": "2026-11-25T09:00:00Z"}


@pytest.mark.parametrize(
    ("context", "cookies"),
    [
        ({}, {"_ga": "GA1.1", "_fbp": "fb.1"}),
        ({"cookies": None}, {"_ga": "GA1.1", "_fbp": "fb.1"}),
        ({"cookies": {"_ga": "own"}}, {"_ga": "own", "_fbp": "fb.1"}),
        ({"cookies": "own"}, "own"),
    ],
)
def test_cookies_of_the_request_are_shown_where_the_client_said_nothing_else(
    context: dict[str, object], cookies: object
):
    sent = Envelope("web", RECEIVED_AT_MS, cookies=(("_ga", "GA1.1"), ("_fbp", "fb.1")))

    assert canonical({"context": context}, sent)["context"]["cookies"] == cookies
    assert "cookies" not in canonical({"context": {}}, envelope())["context"]
