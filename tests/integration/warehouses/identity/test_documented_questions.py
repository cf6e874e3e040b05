"""The questions of docs/identity.md are answered as they stand there."""

import re
from pathlib import Path

import pytest

from tests.integration.warehouses.support.store import Store

DOCUMENT = Path(__file__).parents[4] / "docs" / "identity.md"
QUESTIONS = re.findall(r"```sql\n(.+?)```", DOCUMENT.read_text(), re.DOTALL)


@pytest.fixture
async def shop(store: Store) -> Store:
    """Ann comes by a campaign, looks around, signs up, and buys on her second device; Bob only looks."""
    campaign = {"campaign": {"source": "mail", "name": "spring"}}
    ann, bob = {"anonymousId": "d1"}, {"anonymousId": "d3"}
    said = [
        ("page", {"name": "Kettles", "context": campaign} | ann),
        ("identify", {"userId": "ann"} | ann),
        ("identify", {"userId": "ann", "anonymousId": "d2"}),
        ("track", {"event": "Order Completed", "anonymousId": "d2", "properties": {"revenue": 20}}),
        ("page", {"name": "Cups"} | bob),
    ]
    events = [
        store.event(kind, timestamp=f"2025-11-24T0{hour}:00:00Z", **fields) for hour, (kind, fields) in enumerate(said)
    ]
    await store.load(*events)
    return store


async def test_each_question_has_its_answer(shop: Store):
    answers = [await shop.rows(question) for question in QUESTIONS]

    signed_up_after, paths, revenue, devices = answers
    assert signed_up_after == [("Kettles", 1)]
    assert [path for _, path in paths] == [["Kettles", "identify", "identify", "Order Completed"]]
    assert revenue == [("mail", "spring", 1, 20.0)]
    assert devices == [(1, 1), (2, 1)]
