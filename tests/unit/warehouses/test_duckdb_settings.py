"""What an owner leaves out keeps the warehouse's own default."""

from pathlib import Path

from gateway.warehouses.duckdb.settings import DuckDBSettings


def test_one_key_of_the_batch_leaves_the_others_as_they_are():
    default = DuckDBSettings(path=Path("events.duckdb")).batch

    changed = DuckDBSettings.model_validate({"path": "events.duckdb", "batch": {"max_events": 5}}).batch

    assert changed == default.model_copy(update={"max_events": 5})
