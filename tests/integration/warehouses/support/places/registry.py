"""Every kind of warehouse with tables, one line each."""

from tests.integration.warehouses.support.places.clickhouse import CLICKHOUSE
from tests.integration.warehouses.support.places.duckdb import DUCKDB
from tests.integration.warehouses.support.places.place import PlaceKind
from tests.integration.warehouses.support.places.postgres import POSTGRES

PLACES: tuple[PlaceKind, ...] = (CLICKHOUSE, DUCKDB, POSTGRES)
