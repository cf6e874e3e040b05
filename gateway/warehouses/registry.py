"""Every kind of warehouse, one line each."""

from collections.abc import Iterator
from typing import Any

from gateway.config import DestinationSettings
from gateway.warehouses.archive import ARCHIVE
from gateway.warehouses.bigquery import BIGQUERY
from gateway.warehouses.clickhouse import CLICKHOUSE
from gateway.warehouses.contract import WarehouseKind
from gateway.warehouses.duckdb import DUCKDB
from gateway.warehouses.parquet import PARQUET
from gateway.warehouses.postgres import POSTGRES
from gateway.warehouses.redshift import REDSHIFT
from gateway.warehouses.settings import TableSettings
from gateway.warehouses.snowflake import SNOWFLAKE

WAREHOUSES: tuple[WarehouseKind[Any], ...] = (
    ARCHIVE,
    BIGQUERY,
    CLICKHOUSE,
    DUCKDB,
    PARQUET,
    POSTGRES,
    REDSHIFT,
    SNOWFLAKE,
)


def warehouse_pages() -> Iterator[tuple[str, type[DestinationSettings], type[DestinationSettings]]]:
    """The pages in docs that list settings: which, beyond those of which class that another page has."""
    yield "warehouses/README.md", TableSettings, DestinationSettings
    for kind in WAREHOUSES:
        name = kind.settings.model_fields["type"].default
        if issubclass(kind.settings, TableSettings):
            yield f"warehouses/{name}.md", kind.settings, TableSettings
        else:
            yield f"destinations/{name}.md", kind.settings, DestinationSettings
