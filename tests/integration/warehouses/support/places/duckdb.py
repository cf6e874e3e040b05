"""DuckDB: a file in the test's folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.warehouses.duckdb import DUCKDB as KIND
from gateway.warehouses.names import quoted
from gateway.warehouses.shaping.expressions import SQL_TYPES
from tests.integration.warehouses.support.places.place import NewSettings, PlaceKind, Settings


@contextmanager
def serve() -> Iterator[NewSettings]:
    """Nothing has to run."""

    def settings(folder: Path) -> Settings:
        return {"path": str(folder / "warehouse.duckdb")}

    yield settings


ONE_PROCESS = "a file belongs to one gateway: another process has to wait, and two engines in one process see no locks"

DUCKDB = PlaceKind(
    kind=KIND,
    serve=serve,
    columns="select column_name, data_type from information_schema.columns where table_name = '{table}'",
    types={sql_type: kind for kind, sql_type in SQL_TYPES.items()},
    quoted=quoted,
    left_out=dict.fromkeys(
        [
            "test_an_empty_warehouse_is_opened_by_both",
            "test_the_same_ids_are_stored_once",
            "test_both_make_the_schema_grow_whatever_types_the_other_has_seen",
            "test_people_are_the_same_as_if_one_had_loaded_all",
            "test_one_revises_the_graph_while_the_other_loads",
            "test_links_that_wait_in_one_are_judged_once_by_the_other_who_is_asked",
            "test_what_one_has_forgotten_the_other_may_learn_anew",
            "test_a_link_that_one_has_taken_back_stays_so_in_the_other",
            "test_what_one_has_frozen_links_nothing_in_the_other",
        ],
        ONE_PROCESS,
    ),
)
