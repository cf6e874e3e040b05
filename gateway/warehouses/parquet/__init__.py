"""Parquet files in a folder or a bucket: staged events -> outbox (files, and their list in the state) -> the place.

Ids, cursors, schema and graph are in the state, a DuckDB file of the loader's own, by the code of the DuckDB warehouse.
"""

from gateway.warehouses.parquet.settings import ParquetSettings
from gateway.warehouses.parquet.warehouse import PARQUET, open_parquet

__all__ = ["PARQUET", "ParquetSettings", "open_parquet"]
