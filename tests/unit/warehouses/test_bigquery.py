"""BigQuery's settings, its answers, and what JSON becomes that it does not hold."""

import re
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.model.errors import WarehouseError
from gateway.warehouses.bigquery import BigQuerySettings
from gateway.warehouses.bigquery.answers import rows_of
from gateway.warehouses.bigquery.dialect import DIALECT, dialect_of
from gateway.warehouses.bigquery.session import LONG_NUMBER
from gateway.warehouses.bigquery.warehouse import connect
from gateway.warehouses.schema import Limits, Schema
from gateway.warehouses.servers.ddl import missing
from gateway.warehouses.servers.dialect import NewTable
from gateway.warehouses.servers.views import SPACE

SHOP = {"project": "shop-events"}
DIGITS = "1234567890" * 5


@pytest.mark.parametrize("endpoint", ["http://10.0.0.7", "http://bigquery.example:9050", "http://127.0.0.1.example"])
def test_credentials_are_not_sent_without_encryption(endpoint: str):
    with pytest.raises(ValueError, match="write https://"):
        BigQuerySettings.model_validate({**SHOP, "endpoint": endpoint})


def test_nor_are_rows():
    with pytest.raises(ValueError, match="write it on this machine too"):
        BigQuerySettings.model_validate({**SHOP, "endpoint": "http://[::1]:9050", "stream_endpoint": "10.0.0.7:9060"})


@pytest.mark.parametrize(
    ("endpoint", "is_emulated"),
    [
        (None, False),
        ("https://bigquery.p.example", False),
        ("http://localhost:9050", True),
        ("http://127.0.0.1:1", True),
    ],
)
def test_an_emulator_is_on_this_machine(endpoint: str | None, is_emulated: bool):
    assert BigQuerySettings.model_validate({**SHOP, "endpoint": endpoint}).is_emulated == is_emulated


@pytest.mark.parametrize(
    "wrong", [{"project": "Shop"}, {"dataset": "a-b"}, {"location": "in the EU"}, {"mode": "fast"}]
)
def test_names_are_those_that_bigquery_takes(wrong: dict[str, str]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        BigQuerySettings.model_validate(SHOP | wrong)


def test_a_missing_library_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "google.auth", None)
    for name in [name for name in sys.modules if name.startswith("gateway.warehouses.bigquery.")]:
        if name.endswith((".api", ".jobs", ".opening", ".session", ".staging")):
            monkeypatch.delitem(sys.modules, name)

    with pytest.raises(WarehouseError, match=r"is not installed: google.* .pip install 'headwater\[bigquery\]'"):
        connect(BigQuerySettings.model_validate(SHOP))


def field(kind: str, mode: str = "NULLABLE", **more: Any) -> dict[str, Any]:
    return {"name": "x", "type": kind, "mode": mode, **more}


@pytest.mark.parametrize(
    ("told", "value", "meant"),
    [
        (field("INTEGER"), "-9223372036854775808", -(2**63)),
        (field("FLOAT"), "5.0E-324", 5e-324),
        (field("BOOLEAN"), "false", False),
        (field("STRING"), "", ""),
        (field("JSON"), '{"a":1}', '{"a":1}'),
        (field("TIMESTAMP"), "-1", datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        (field("TIMESTAMP"), "253370764800000000", datetime(9999, 1, 1, tzinfo=UTC)),
        (field("DATE"), "2026-11-27", "2026-11-27"),
        (field("STRING"), None, None),
        (field("INTEGER", "REPEATED"), [{"v": "1"}, {"v": "2"}], [1, 2]),
        (field("RECORD", fields=[field("INTEGER")]), {"f": [{"v": "5"}]}, {"x": 5}),
    ],
)
def test_an_answers_values_are_pythons(told: dict[str, Any], value: Any, meant: Any):
    [(read,)] = rows_of([told], [{"f": [{"v": value}]}])

    assert (type(read), read) == (type(meant), meant)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (f'{{"a": {DIGITS}, "b": [-{DIGITS},{DIGITS}]}}', f'{{"a": "{DIGITS}", "b": ["-{DIGITS}","{DIGITS}"]}}'),
        ("[1e400, 1.5,2]", '["1e400", 1.5,2]'),
        ("[0.12345678901234567890123]", '["0.12345678901234567890123"]'),
        (f"{DIGITS}", f"{DIGITS}"),
        (f'{{"a": "see {DIGITS}"}}', f'{{"a": "see {DIGITS}"}}'),
    ],
)
def test_a_long_number_becomes_a_text(sent: str, stored: str):
    assert re.sub(LONG_NUMBER, r'\1"\2"', sent) == stored


def test_a_table_with_events_has_partitions_and_is_clustered():
    columns = {"id": "STRING", "received_at": "TIMESTAMP", "event": "STRING"}

    [tracks] = DIALECT.create(NewTable("tracks", "events", columns, frozenset({"id"}), ()))
    [ids] = DIALECT.create(NewTable("_headwater_ids", "ids", {"high": "INT64", "low": "INT64"}, frozenset(), ()))

    assert tracks == (
        "create table if not exists `tracks` (`id` STRING not null, `received_at` TIMESTAMP, `event` STRING)"
        " partition by date(`received_at`) cluster by `event`, `id`"
    )
    assert ids.endswith("(`high` INT64, `low` INT64) cluster by `high`")


def test_all_columns_of_a_table_are_added_in_one_statement():
    schema = Schema(Limits(1, 10, 10))
    schema.learn({"type": "page", "properties": {"a": 1, "b": "x"}})
    stored = {name: dict.fromkeys(table.columns.by_name, "") for name, table in schema.tables.items()}

    statements = [each for each in missing(schema, DIALECT, stored) if each.startswith("alter table `pages`")]

    assert len(statements) == 1
    assert statements[0].count("add column if not exists ") > 10


def test_a_view_says_in_which_dataset_its_tables_are():
    assert dialect_of(BigQuerySettings.model_validate({**SHOP, "dataset": "web"})).place == "`web`."


def test_no_line_breaks_within_a_text():
    assert DIALECT.literal("it's\n\r\\") == r"'it\'s\n\r\\'"
    assert not {"\n", "\r"} & set(DIALECT.literal(SPACE))
