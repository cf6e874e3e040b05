"""Every kind of warehouse with tables, one line each."""

from tests.integration.warehouses.support.places.bigquery import BIGQUERY
from tests.integration.warehouses.support.places.clickhouse import CLICKHOUSE
from tests.integration.warehouses.support.places.duckdb import DUCKDB
from tests.integration.warehouses.support.places.parquet import PARQUET
from tests.integration.warehouses.support.places.place import PlaceKind
from tests.integration.warehouses.support.places.postgres import POSTGRES
from tests.integration.warehouses.support.places.redshift import REDSHIFT
from tests.integration.warehouses.support.places.snowflake import SNOWFLAKE

PLACES: tuple[PlaceKind, ...] = (
    BIGQUERY,
    CLICKHOUSE,
    DUCKDB,
    PARQUET,
    POSTGRES,
    REDSHIFT,
    SNOWFLAKE,
)
