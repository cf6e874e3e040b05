"""What is in a place of Parquet files, as somebody else reads it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl


class Published:
    """A copy of everything, in a folder of its own."""

    def __init__(self, contents: Mapping[str, bytes], folder: Path) -> None:
        self.folder = folder
        self.paths = sorted(contents)
        for path, body in contents.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """By a DuckDB that knows nothing of the gateway: each folder is a table."""
        with duckdb.connect() as reader:
            reader.execute("set timezone = 'UTC'")
            for table in sorted({path.partition("/")[0] for path in self.paths}):
                reader.execute(f"create view {table} as from read_parquet({self._pattern(table)})")
            return reader.execute(sql).fetchall()

    def frame(self, table: str) -> pl.DataFrame:
        """By polars, whose reader is written from scratch."""
        files = self.folder / table / "**" / "*.parquet"
        return pl.scan_parquet(
            files, hive_partitioning=True, missing_columns="insert", extra_columns="ignore"
        ).collect()

    def _pattern(self, table: str) -> str:
        return f"'{self.folder}/{table}/**/*.parquet', union_by_name = true, hive_partitioning = true"
