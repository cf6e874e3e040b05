"""A dbt project of the shape that the public packages for Segment's tables have, on tables that the loader filled."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from tests.integration.warehouses.dbt.visits import Session, customers_of, sessions_of, visit
from tests.integration.warehouses.support.places.duckdb import DUCKDB
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.places.postgres import POSTGRES
from tests.integration.warehouses.support.store import Store

HERE = Path(__file__).parent
DBT = HERE / ".venv/bin/dbt"
SESSIONS = f"""
    select anonymous_id, blended_user_id, session_number, started_at, duration_s, page_views,
        first_page_url, last_page_url, referrer_host, utm_source, device
    from web_sessions order by {", ".join(map(str, range(1, len(Session._fields) + 1)))}"""


@pytest.fixture(params=[DUCKDB, POSTGRES], ids=lambda kind: kind.name)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty warehouse that dbt has an adapter for."""
    with request.param.serve() as new_settings:
        yield Place(request.param, new_settings(tmp_path))


def where_it_is(place: Place, folder: Path) -> dict[str, str]:
    """What the project's profile asks for."""
    if place.kind is DUCKDB:
        return {
            "EVENTS_FILE": place.settings["path"],
            "EVENTS_SCHEMA": "main",
            "MODELS_FILE": f"{folder}/models.duckdb",
        }
    return {"EVENTS_HOST": place.settings["host"], "EVENTS_SCHEMA": place.settings["schema"]}


def build(place: Place, folder: Path) -> None:
    """All models, and the tests that the project has of them."""
    command = [DBT, "--no-use-colors", "build", "--project-dir", HERE / "project", "--profiles-dir", HERE / "project"]
    command += ["--target", place.kind.name, "--target-path", folder / "target", "--log-path", folder / "logs"]
    ran = subprocess.run(
        command, cwd=folder, env=os.environ | where_it_is(place, folder), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def ask(place: Place, folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Of the models, by the server's own client."""
    if place.kind is DUCKDB:
        with duckdb.connect(str(folder / "models.duckdb"), read_only=True) as connection:
            return connection.execute(f"set timezone = 'UTC'; {sql}").fetchall()
    with psycopg.connect(host=place.settings["host"], user="headwater", dbname="postgres") as connection:
        connection.execute("set search_path = models")
        return connection.execute(sql.encode()).fetchall()


def sessions_in(place: Place, folder: Path) -> list[Session]:
    rows = (Session(*row) for row in ask(place, folder, SESSIONS))
    return sorted(row._replace(started_at=row.started_at.astimezone(UTC)) for row in rows)


def customers_in(place: Place, folder: Path) -> dict[str, tuple[str | None, int, float]]:
    rows = ask(place, folder, "select user_id, plan, orders, revenue from customers")
    return {user: (plan, orders, revenue) for user, plan, orders, revenue in rows}


@pytest.mark.timeout(300)  # dbt takes its time to start
async def test_models_are_what_the_events_make_of_them(place: Place, tmp_path: Path) -> None:
    before, later = visit(1, range(40)), visit(2, range(20, 60))
    async with place.open() as warehouse:
        store = Store(warehouse)
        await store.load(*before)
    build(place, tmp_path)

    assert len(sessions_of(before)) > 40
    assert sessions_in(place, tmp_path) == sessions_of(before)
    assert customers_in(place, tmp_path) == customers_of(before)

    async with place.open() as warehouse:
        store.warehouse = warehouse
        await store.load(*later)
    build(place, tmp_path)

    assert sessions_in(place, tmp_path) == sessions_of(before + later)
    assert customers_in(place, tmp_path) == customers_of(before + later)
