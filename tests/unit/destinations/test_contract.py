"""What holds for every kind of destination."""

import copy
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.describe import with_table
from gateway.destinations import DESTINATIONS, Destination, Message, Payload, Request, Response, Sending
from gateway.destinations.contract import Conversation
from gateway.model.event import Event, to_iso
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors import golden
from tests.vendors.events import AT_MS, order, seen, tour
from tests.vendors.generated import EVENTS
from tests.vendors.registry import SIMULATORS, WITHOUT_HTTP
from tests.vendors.simulator import Simulator

ROOT = Path(__file__).parents[3]
MAX_LINES = 300
AT_LEAST = {"ga4": 12, "meta": 12, "console": 0, "webhook": 0}
"""Golden files; of other kinds four. The two with none are what their own tests say."""

UNASKED = {each.name: each.default for each in fields(Destination)}["unasked"]

every_kind = pytest.mark.parametrize("kind", DESTINATIONS, ids=lambda kind: kind.type)
every_vendor = pytest.mark.parametrize("vendor", SIMULATORS, ids=lambda vendor: vendor.kind.type)
every_golden_file = pytest.mark.parametrize(
    "path",
    [path for kind in DESTINATIONS for path in golden.cases(kind.type)],
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)


def first_payload(vendor: type[Simulator]) -> Payload:
    return golden.payloads_for(vendor.kind, vendor.settings(), [order(1)])[0]


def answered(vendor: type[Simulator], response: Response) -> Outcome:
    """The outcome of telling the vendor one thing, whatever else is asked being answered in the same way."""
    conversation = vendor.kind.conversation([first_payload(vendor)], vendor.settings(), Sending(0, "t0ken"))
    return conversed(conversation, lambda _: response)


def conversed(conversation: Conversation, answer: Callable[[Any], Response]) -> Outcome:
    try:
        request = next(conversation)
        while True:
            request = conversation.send(answer(request))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def mapped_or_refused(kind: Destination[Any], event: Event, chosen: DestinationSettings) -> Sequence[Message]:
    """Nothing where the event is refused in words; any other exception is a fault."""
    with suppress(ValueError):
        return kind.map(event, chosen)
    return []


def one_verdict(outcome: Outcome) -> Outcome:
    return outcome.items[0] if isinstance(outcome, Partial) else outcome


def test_names_of_kinds_are_unique():
    assert len({kind.type for kind in DESTINATIONS}) == len(DESTINATIONS)
    assert len({kind.title for kind in DESTINATIONS}) == len(DESTINATIONS)


def test_every_kind_has_a_simulated_vendor_or_the_real_thing():
    simulated = {vendor.kind.type for vendor in SIMULATORS}

    assert {kind.type for kind in DESTINATIONS} == simulated | {*WITHOUT_HTTP} & {kind.type for kind in DESTINATIONS}


@every_kind
def test_a_page_of_the_docs_says_what_is_sent_and_has_the_settings_as_they_are(kind: Destination[Any]):
    page = (ROOT / f"docs/destinations/{kind.type}.md").read_text(encoding="utf-8")

    assert page == with_table(page, kind.settings), "run make docs"


@every_kind
def test_the_list_of_destinations_says_which_consent_is_asked(kind: Destination[Any]):
    listed = (ROOT / "docs/destinations/README.md").read_text(encoding="utf-8")

    (row,) = [line for line in listed.splitlines() if line.startswith(f"| [{kind.type}]({kind.type}.md) |")]
    assert row.endswith(f"| {kind.category or 'none'} |")


@every_kind
def test_a_kind_that_cannot_be_tried_says_why_and_so_does_its_page(kind: Destination[Any]):
    page = (ROOT / f"docs/destinations/{kind.type}.md").read_text(encoding="utf-8")

    assert kind.probe or (kind.unasked != UNASKED and "`headwater check`" in page)


@every_kind
def test_a_destination_is_one_file_that_can_be_read_at_one_go(kind: Destination[Any]):
    path = ROOT / f"{kind.settings.__module__.replace('.', '/')}.py"

    assert path.read_text(encoding="utf-8").count("\n") <= MAX_LINES


@every_kind
def test_there_are_golden_files(kind: Destination[Any]):
    assert len(golden.cases(kind.type)) >= AT_LEAST.get(kind.type, 4)


@every_golden_file
def test_what_is_sent_is_what_the_vendor_documents(path: Path):
    kind = next(kind for kind in DESTINATIONS if kind.type == path.parent.name)
    required = next((vendor.required for vendor in SIMULATORS if vendor.kind is kind), {})
    case = golden.read(path)
    said = {**required, **case["settings"]}
    chosen = kind.settings.model_validate({key: value for key, value in said.items() if value is not None})

    made = golden.requests_for(kind, chosen, case["events"], case["answers"])

    wanted = golden.expected(case, made)
    assert golden.only_named_headers(made, wanted) == wanted


@every_vendor
def test_a_key_that_no_setting_has_is_refused(vendor: type[Simulator]):
    with pytest.raises(ValidationError):
        vendor.settings(no_such_key=1)


@every_vendor
def test_no_secret_is_shown(vendor: type[Simulator]):
    chosen = vendor.settings()

    assert "s3cret" not in repr(chosen)
    assert "s3cret" not in str(chosen)
    assert "s3cret" not in chosen.model_dump_json()


@every_vendor
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(raw=EVENTS)
def test_any_event_is_mapped_without_being_changed_or_is_refused_in_words(vendor: type[Simulator], raw: dict[str, Any]):
    kind, chosen, event = vendor.kind, vendor.settings(), seen(json.loads(json.dumps(raw)))
    before = copy.deepcopy(event)

    messages = mapped_or_refused(kind, event, chosen)

    assert event == before
    assert all(isinstance(message, Message) for message in messages)
    payloads = [Payload("m", orjson.dumps(message.body), message.key) for message in messages]
    for payload in payloads:
        assert kind.request([payload], chosen, Sending(0, "t0ken"))


@every_vendor
def test_a_full_batch_is_what_the_vendor_takes(vendor: type[Simulator]):
    """The simulator enforces the vendor's limits; that there are any is what its own tests say."""
    kind, chosen, simulator = vendor.kind, vendor.settings(), vendor()
    first = first_payload(vendor)
    count = kind.batch_events(chosen, first.key)
    orders = [order(n, timestamp=to_iso(datetime.now(UTC))) for n in range(count)]
    same = [each for each in golden.payloads_for(kind, chosen, orders) if each.key == first.key]
    full = same[:count]
    while sum(len(each.body) + 1 for each in full) + 2 > kind.batch_bytes(chosen):
        full.pop()

    conversation = kind.conversation(full, chosen, Sending(AT_MS, vendor.token))

    outcome = conversed(conversation, simulator.answer_to)

    assert {*(outcome.items if isinstance(outcome, Partial) else [outcome])} == {Delivered()}
    assert len(simulator.taken) >= len(full)


@every_vendor
def test_the_same_event_is_mapped_alike_every_time(vendor: type[Simulator]):
    chosen = vendor.settings()

    first = [vendor.kind.map(seen(event), chosen) for event in tour()]
    second = [vendor.kind.map(seen(event), chosen) for event in tour()]

    assert first == second
    assert any(first)


@every_vendor
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Reject),
        (401, Halt),
        (403, Halt),
        (408, Retry),
        (413, Reject),
        (429, Retry),
        (500, Retry),
        (501, Reject),
        (503, Retry),
    ],
)
def test_a_status_without_a_body_means_what_it_means_everywhere(
    vendor: type[Simulator], status: int, outcome: type[Outcome]
):
    assert isinstance(one_verdict(answered(vendor, Response(status))), outcome)


@every_vendor
@pytest.mark.parametrize("status", [429, 503])
def test_the_vendors_wish_to_wait_is_heard(vendor: type[Simulator], status: int):
    verdict = one_verdict(answered(vendor, Response(status, {"retry-after": "17"})))

    assert isinstance(verdict, Retry)
    assert verdict.after_s == 17


@every_vendor
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b"null", b'"x"', b"<html>", b"\xff", b'{"errors": 3, "data": []}']
)
@pytest.mark.parametrize("status", [200, 207, 400, 500])
def test_an_answer_that_makes_no_sense_is_an_outcome_all_the_same(vendor: type[Simulator], status: int, body: bytes):
    assert isinstance(answered(vendor, Response(status, {}, body)), Delivered | Retry | Reject | Partial | Halt)


def test_the_owner_can_lower_a_vendors_limits_and_not_raise_them():
    kind = Destination(
        settings=DestinationSettings,
        title="Tool",
        map=lambda event, _: [Message(event)],
        request=lambda *_: Request("https://tool.example", b""),
        max_batch_events=50,
        max_batch_bytes=1000,
        max_age_s=3600,
    )

    low = DestinationSettings(type="x", batch=BatchSettings(max_events=10, max_bytes=500), max_age=60)
    high = DestinationSettings(type="x", batch=BatchSettings(max_events=99, max_bytes=5000), max_age=7200)

    assert (kind.batch_events(low), kind.batch_bytes(low), kind.age_limit_s(low)) == (10, 500, 60)
    assert (kind.batch_events(high), kind.batch_bytes(high), kind.age_limit_s(high)) == (50, 1000, 3600)
    assert kind.age_limit_s(DestinationSettings(type="x")) == 3600
