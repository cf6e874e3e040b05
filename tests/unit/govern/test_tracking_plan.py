"""Whether events are as they were planned."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import PlanFile, TrackingPlanSettings
from gateway.config.tracking_plan import read_plan
from gateway.govern.tracking_plan import KINDS, TrackingPlan, compiled, decoded

PLAN = {
    "events": {
        "Order Completed": {
            "type": "object",
            "properties": {
                "total": {"type": "number", "minimum": 0},
                "currency": {"enum": ["EUR", "USD"]},
                "email": {"type": "string", "format": "email"},
                "products": {"type": "array", "items": {"type": "object", "required": ["sku"]}},
            },
            "required": ["total"],
            "additionalProperties": False,
        },
        "Anything": True,
    },
    "page": {"required": ["path"]},
    "identify": {"properties": {"plan": {"enum": ["free", "pro"]}}},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> PlanFile:
    path: Path = tmp_path_factory.mktemp("plan") / "plan.json"
    path.write_text(json.dumps(PLAN))
    return read_plan(path)


@pytest.fixture(scope="module")
def plan(file: PlanFile) -> TrackingPlan:
    return plan_of(file, violations="block", unplanned="report")


def plan_of(file: PlanFile, **settings: Any) -> TrackingPlan:
    found = compiled(TrackingPlanSettings(path=file, **settings))
    assert found is not None
    return found


def order(**properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Order Completed", "properties": properties}


@pytest.mark.parametrize(
    "event",
    [
        order(total=1, currency="EUR", products=[{"sku": "a", "color": "red"}]),
        order(total=12345678901234567890123),
        {"type": "track", "event": "Anything"},
        {"type": "page", "properties": {"path": "/"}},
        {"type": "identify", "traits": {"plan": "pro"}},
        {"type": "identify"},
        {"type": "screen", "properties": {"anything": 1}},
        {"type": "alias", "userId": "u", "previousId": "v"},
        {"type": ["track"]},
        {},
    ],
)
def test_an_event_as_planned_and_a_call_without_a_plan_are_let_through(plan: TrackingPlan, event: dict[str, Any]):
    assert plan.violation(event) is None


@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        (order(), "missing", 'properties: "total" is a required property'),
        (order(total="12"), "type", 'properties.total: the value is not of type "number"'),
        (order(total=-1), "value", "properties.total: the value is less than the minimum of 0"),
        (order(total=1, currency="GBP"), "value", 'properties.currency: the value is not one of "EUR" or "USD"'),
        (order(total=1, email="s3cret"), "value", 'properties.email: the value is not a "email"'),
        (order(total=1, card="s3cret"), "unexpected", "properties: Additional properties are not allowed ('card' was"),
        (order(total=1, products=[{"sku": 1}, {}]), "missing", 'properties.products[1]: "sku" is a required property'),
        ({"type": "page", "properties": None}, "missing", 'properties: "path" is a required property'),
        ({"type": "identify", "traits": {"plan": "s3cret"}}, "value", "traits.plan: the value is not one of"),
        ({"type": "track", "event": "Order completed"}, "unplanned", "event: not in the plan"),
        ({"type": "track"}, "unplanned", "event: not in the plan"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_without_its_value(
    plan: TrackingPlan, event: dict[str, Any], kind: str, words: str
):
    violation = plan.violation(event)

    assert violation is not None
    assert violation.kinds == {kind}
    assert violation.words.startswith(words)
    assert "s3cret" not in violation.words
    assert violation.action == ("report" if kind == "unplanned" else "block")


def test_of_many_faults_a_few_are_told(plan: TrackingPlan):
    violation = plan.violation(order(total="x", currency=1, products=[{}] * 3, **{"k" * 5000: 1}))

    assert violation is not None
    assert violation.kinds == {"type", "value", "missing", "unexpected"}
    assert violation.words.count(";") == 3
    assert violation.words.endswith("more")
    assert len(violation.words) < 1000


def test_what_is_not_planned_is_allowed_unless_the_owner_says_otherwise(file: PlanFile):
    assert plan_of(file).violation({"type": "track", "event": "New"}) is None
    assert compiled(TrackingPlanSettings(unplanned="block")) is None
    assert not plan_of(file, violations="block").may_quarantine
    assert plan_of(file, unplanned="quarantine").may_quarantine


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["track", "page", "identify", "group"]) | JSON,
            "event": st.sampled_from(["Order Completed", "Anything"]) | JSON,
            "properties": JSON | st.dictionaries(st.sampled_from(["total", "currency", "products"]), JSON),
            "traits": JSON | st.dictionaries(st.just("plan"), JSON),
        },
    )
)
def test_any_json_is_judged(plan: TrackingPlan, event: dict[str, Any]):
    violation = plan.violation(event)

    assert violation is None or (violation.words and violation.kinds <= set(KINDS))


@pytest.mark.parametrize("number", ["1e999", "9" * 5000, "-1e-999", "1.10", "18446744073709551616"])
def test_no_number_is_too_much(plan: TrackingPlan, number: str):
    event = decoded(b'{"type":"track","event":"Order Completed","properties":{"total":%b}}' % number.encode())

    assert plan.violation(event) is None or "total" in str(plan.violation(event))


def test_a_hostile_text_does_not_hold_up_a_pattern(tmp_path: Path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"page": {"properties": {"sku": {"pattern": "^(a|b|ab)*(?=c)\\1$"}}}}))

    violation = plan_of(read_plan(path)).violation({"type": "page", "properties": {"sku": "ab" * 1000 + "z"}})

    assert violation is not None
    assert violation.kinds == {"value"}
