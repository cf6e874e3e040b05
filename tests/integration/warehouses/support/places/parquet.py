"""Parquet files in a folder of the test. Buckets, which answer no SQL: tests/integration/warehouses/parquet."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.warehouses.names import quoted
from gateway.warehouses.parquet import PARQUET as KIND
from gateway.warehouses.shaping.expressions import SQL_TYPES
from tests.integration.warehouses.support.places.place import NewSettings, PlaceKind, Settings


@contextmanager
def serve() -> Iterator[NewSettings]:
    """Nothing has to run."""

    def settings(folder: Path) -> Settings:
        return {"url": str(folder / "events")}

    yield settings


PARQUET = PlaceKind(
    kind=KIND,
    serve=serve,
    columns="""
        select column_name, data_type from information_schema.columns
        where table_schema = 'main' and table_name = '{table}'""",
    types={sql_type: kind for kind, sql_type in SQL_TYPES.items()},
    quoted=quoted,
    can_widen=False,
    examples=30,
    serves_many=False,  # each gateway has a state of its own; two of them are in tests/integration/warehouses/parquet
    left_out={"test_its_plan_makes_nothing_and_is_what_opening_it_does": "files are made without a plan"},
)
