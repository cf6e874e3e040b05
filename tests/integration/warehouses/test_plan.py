"""`headwater warehouse plan` and `init`, before there is a daemon."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.model.clock import SystemClock
from gateway.warehouses.postgres import POSTGRES as KIND
from tests.integration.warehouses.support.places.place import NewSettings
from tests.integration.warehouses.support.places.postgres import POSTGRES
from tests.integration.warehouses.support.store import Store

Headwater = Callable[..., Result]


@pytest.fixture(scope="module")
def served() -> Iterator[NewSettings]:
    with POSTGRES.serve() as settings:
        yield settings


@pytest.fixture
def settings(served: NewSettings, tmp_path: Path) -> dict[str, Any]:
    """Of a schema that is not there."""
    return dict(served(tmp_path))


@pytest.fixture
def headwater(tmp_path: Path) -> Headwater:
    """Runs `headwater warehouse` with a configuration of these destinations, whose first one it is about."""

    def run(order: str, *arguments: str, **destinations: Mapping[str, Any]) -> Result:
        lines = ["[sources.web]", 'write_keys = ["k"]', f'[queue]\npath = "{tmp_path}/queue"']
        for name, settings in destinations.items():
            lines += [f"[destinations.{name}]", *(f'{key} = "{value}"' for key, value in settings.items())]
        path = tmp_path / "headwater.toml"
        path.write_text("\n".join(lines))
        return CliRunner().invoke(main, ["warehouse", order, *arguments, "--config", str(path)])

    return run


def postgres(settings: Mapping[str, Any], **more: str) -> dict[str, Any]:
    return {"type": "postgres", **settings, **more}


def connected(settings: Mapping[str, Any], user: str = "headwater") -> psycopg.Connection[Any]:
    return psycopg.connect(host=settings["host"], dbname="postgres", user=user, autocommit=True)


def has_schema(settings: Mapping[str, Any]) -> bool:
    with connected(settings) as connection:
        found = connection.execute("select 1 from pg_namespace where nspname = %s", [settings["schema"]])
        return found.fetchone() is not None


def test_what_is_planned_can_be_run_by_hand(headwater: Headwater, settings: dict[str, Any]):
    planned = headwater("plan", "events", events=postgres(settings))
    assert (planned.exit_code, has_schema(settings)) == (0, False)

    with connected(settings) as connection:
        connection.execute(planned.output.encode())
    made = headwater("init", "events", events=postgres(settings))

    assert made.exit_code == 0
    assert "create table" not in made.output
    assert made.output.endswith("-- events is ready.\n")


async def test_what_is_made_takes_the_first_load(headwater: Headwater, settings: dict[str, Any]):
    made = await asyncio.to_thread(headwater, "init", "events", events=postgres(settings))

    assert made.exit_code == 0
    assert f'create schema "{settings["schema"]}"' in made.output
    async with KIND.open(KIND.settings.model_validate(settings), SystemClock()) as warehouse:
        store = Store(warehouse)
        assert (await store.load(store.event())).rows == 1


def test_a_right_that_is_lacking_is_named(headwater: Headwater, settings: dict[str, Any]):
    with connected(settings) as connection:
        connection.execute("create role reader login")

    refused = headwater("plan", "events", events=postgres(settings, user="reader"))

    assert refused.exit_code == 1
    assert f"reader may make no tables in the schema {settings['schema']}" in refused.output
    assert "create schema" in refused.output


def test_a_database_file_is_planned_aside(headwater: Headwater, tmp_path: Path):
    file = tmp_path / "events.duckdb"

    planned = headwater("plan", "events", events={"type": "duckdb", "path": file})

    assert (planned.exit_code, file.exists()) == (0, False)
    with duckdb.connect() as connection:
        connection.execute(planned.output)
        assert connection.execute("select count(*) from persons").fetchall() == [(0,)]
    assert headwater("init", "events", events={"type": "duckdb", "path": file}).exit_code == 0
    assert headwater("plan", "events", events={"type": "duckdb", "path": file}).output == "-- Nothing is lacking.\n"


def test_files_need_no_plan(headwater: Headwater, tmp_path: Path):
    planned = headwater("plan", "events", events={"type": "parquet", "url": tmp_path / "events"})

    assert planned.exit_code == 0
    assert "there are no statements to run" in planned.output


@pytest.mark.parametrize(
    ("name", "words"), [("hook", "no warehouse"), ("nobody", "nobody")], ids=["of another kind", "not there"]
)
def test_what_is_no_warehouse_is_refused(headwater: Headwater, name: str, words: str):
    refused = headwater("plan", name, hook={"type": "webhook", "url": "https://crm.example/x"})

    assert refused.exit_code == 1
    assert words in refused.output
