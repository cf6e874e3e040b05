"""What the SDKs of Segment and RudderStack send, by their own code, ends as the rows that their users expect."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import pytest

from tests.e2e.harness.daemon import Daemon
from tests.e2e.sdks.harness.drivers import plan
from tests.e2e.sdks.harness.family import SDKS, Sdk
from tests.e2e.sdks.harness.rows import Rows, tables_of, until_tables
from tests.e2e.sdks.harness.stage import Stage
from tests.e2e.sdks.harness.story import ORDER, STORY

PLAN = plan(sdk.driver for sdk in SDKS)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.driver.name)
async def test_a_visit_is_rows(daemon: Daemon, stage: Stage, sdk: Sdk):
    counts = sdk.rows_of_a_visit
    async with stage.driving(sdk.driver, daemon.url):
        await until_tables(daemon, sdk.driver, counts)
    await daemon.settled("warehouse")
    rows = await tables_of(daemon, sdk.driver, counts)

    assert {table: len(each) for table, each in rows.items()} == counts, "each event came exactly once"
    ids_are_unlike(rows)
    each_event_says_who(sdk, rows)
    each_event_says_when(sdk, rows)
    the_order_has_its_columns(rows)
    the_person_and_the_group_are_known(sdk, rows)
    await the_users_table_knows_the_person(daemon, sdk)
    views_have_their_names(sdk, rows)
    the_context_is_the_clients(sdk, rows)
    await the_integrations_are_kept(daemon, rows["order_completed"][0]["id"])


def ids_are_unlike(rows: Mapping[str, Rows]) -> None:
    ids = [
        row["id"] for table in ("tracks", "pages", "screens", "identifies", "groups", "aliases") for row in rows[table]
    ]
    assert len(set(ids)) == len(ids)
    assert {rows["order_completed"][0]["id"], rows["product_viewed"][0]["id"]} <= {row["id"] for row in rows["tracks"]}


def each_event_says_who(sdk: Sdk, rows: Mapping[str, Rows]) -> None:
    user, visitor = sdk.driver.user_id, sdk.driver.anonymous_id
    assert who(rows["product_viewed"]) == who(rows["pages"]) == [(None, visitor)]
    assert who(rows["identifies"]) == who(rows["order_completed"]) == [(user, visitor)]
    # Servers tell one id, browsers always both.
    assert who(rows["groups"]) == [(user, visitor if sdk.in_browser else None)]
    assert [(row["user_id"], row["previous_id"]) for row in rows["aliases"]] == [(user, visitor)]
    if sdk.in_browser:
        (after,) = [row for row in rows["tracks"] if row["event_text"] == "Signed Out"]
        assert after["user_id"] is None
        # Reset forgets the visitor in Segment's SDK; in RudderStack's the device stays the same visitor.
        assert (after["anonymous_id"] == visitor) == sdk.by_rudderstack


def each_event_says_when(sdk: Sdk, rows: Mapping[str, Rows]) -> None:
    (order,) = rows["order_completed"]
    (seen,) = rows["product_viewed"]
    given = datetime.fromisoformat(STORY["timestamp"])
    assert when(order, "timestamp") == given
    assert (when(order, "original_timestamp") != given) == sdk.keeps_the_call_as_original_timestamp
    # One clock for all: nothing is corrected.
    assert when(seen, "timestamp") == when(seen, "original_timestamp")
    assert when(seen, "original_timestamp") <= when(seen, "sent_at") <= when(seen, "received_at")


def the_order_has_its_columns(rows: Mapping[str, Rows]) -> None:
    (order,) = rows["order_completed"]
    (track,) = [row for row in rows["tracks"] if row["id"] == order["id"]]
    assert order["event"] == track["event"] == "order_completed"
    assert order["event_text"] == track["event_text"] == "Order Completed"
    assert orjson.loads(track["properties"]) == ORDER
    assert orjson.loads(order["products"]) == ORDER["products"]
    flat = {name: order[name] for name in ("order_id", "total", "revenue", "currency")}
    assert flat == {"order_id": "order-1", "total": 59.9, "revenue": 49.9, "currency": "EUR"}
    assert (order["shipping_method"], order["shipping_address_city"]) == ("post", "Bath")
    (seen,) = rows["product_viewed"]
    assert (seen["product_id"], seen["price"]) == ("p-1", 9.98)


def the_person_and_the_group_are_known(sdk: Sdk, rows: Mapping[str, Rows]) -> None:
    (identify,), (group,) = rows["identifies"], rows["groups"]
    assert {name: identify[name] for name in STORY["traits"]} == STORY["traits"]
    assert group["group_id"] == "company-1"
    assert {name: group[name] for name in STORY["group"]["traits"]} == STORY["group"]["traits"]


async def the_users_table_knows_the_person(daemon: Daemon, sdk: Sdk) -> None:
    names = ", ".join(STORY["traits"])
    people = await daemon.sql(f"select {names} from users where id = '{sdk.driver.user_id}'")
    assert people == [STORY["traits"]]


def views_have_their_names(sdk: Sdk, rows: Mapping[str, Rows]) -> None:
    (page,) = rows["pages"]
    assert (page["category"], page["name"], page["collection"]) == ("Shop", "Lanterns", "boats")
    assert [(row["name"], row["items"]) for row in rows["screens"]] == ([("Basket", 2)] if sdk.has_screens else [])
    if sdk.in_browser:
        assert page["title"] == page["context_page_title"] == "Lantern Shop"
        assert page["url"] == page["context_page_url"]
        assert page["url"].startswith("http://localhost:")
        assert page["path"] == page["context_page_path"] == f"/shop/{sdk.driver.file}"


def the_context_is_the_clients(sdk: Sdk, rows: Mapping[str, Rows]) -> None:
    for row in (row for each in rows.values() for row in each):
        assert row["context_library_name"] == sdk.library
        assert row["context_library_version"].endswith(sdk.version)
        assert row["channel"] == sdk.channel
    (order,), (seen,) = rows["order_completed"], rows["product_viewed"]
    assert (order["context_experiment_arm"], seen["context_experiment_arm"]) == ("b", None)
    if sdk.in_browser:
        campaign = [order[f"context_campaign_{name}"] for name in ("source", "medium", "name")]
        assert campaign == ["news", "email", "spring"]
        assert "HeadlessChrome" in order["context_user_agent"]
        assert (order["context_ip"], order["context_locale"]) == ("127.0.0.1", "en-US")
    else:
        # Who speaks for a visitor says whose address and browser it is; where nothing is said, the connection's count.
        assert (order["context_ip"], order["context_user_agent"]) == ("203.0.113.7", "The visitor's browser")
        assert seen["context_ip"] == "127.0.0.1"


async def the_integrations_are_kept(daemon: Daemon, message_id: str) -> None:
    """They have no column: the queue has them, for the tools that follow."""
    said = await daemon.command("trace", message_id, "--json")
    (found,) = orjson.loads(said.out)["events"]
    # Load options that name an integration are merged into each event's.
    assert STORY["integrations"].items() <= found["event"]["integrations"].items()


def who(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, Any]]:
    return [(row["user_id"], row["anonymous_id"]) for row in rows]


def when(row: Mapping[str, Any], column: str) -> datetime:
    return datetime.fromisoformat(row[column])
