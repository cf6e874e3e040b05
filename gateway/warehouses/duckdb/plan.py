"""The statements that make a new database, for `headwater warehouse plan`: told by one that is made aside."""

import asyncio
import tempfile
from pathlib import Path

import duckdb

from gateway.model.clock import SystemClock
from gateway.warehouses.duckdb.settings import DuckDBSettings
from gateway.warehouses.duckdb.warehouse import open_duckdb
from gateway.warehouses.names import VIEWS, literal

_STATEMENTS = """
    select sql from (
        select sql, table_name as name, 0 as step from duckdb_tables() where database_name = 'made' and not internal
        union all
        select sql, view_name, list_position($views, view_name) from duckdb_views()
        where database_name = 'made' and not internal)
    order by step, name"""


def plan(settings: DuckDBSettings) -> list[str]:
    """None where the file is there: its tables were made with it. Blocking."""
    if settings.path.exists():
        return []
    with tempfile.TemporaryDirectory(prefix="headwater.") as folder:
        path = Path(folder) / "made.duckdb"
        asyncio.run(_make(settings.model_copy(update={"path": path})))
        with duckdb.connect() as engine:
            engine.execute(f"attach {literal(str(path))} as made (read_only, type duckdb)")
            return [sql.rstrip(";\n") for (sql,) in engine.execute(_STATEMENTS, {"views": VIEWS[::-1]}).fetchall()]


async def _make(settings: DuckDBSettings) -> None:
    async with open_duckdb(settings, SystemClock()):
        pass
