"""Rows on their way: in tables of their own, out of which one transaction takes them.

What a gateway that was killed has left there is gone a day later.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from gateway.model.clock import Clock
from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.bigquery.api import Api, Json, RefusedError
from gateway.warehouses.bigquery.jobs import Jobs

PREFIX = "_headwater_staged_"
KEPT_MS = 24 * 3_600_000
"""How long a table stays there that nobody removes."""


class Filling(Protocol):
    """Rows that are being put into a staged table."""

    def finish(self) -> None:
        """Wait until all are there. Raises WarehouseError or WarehouseRowError."""
        ...


class Filler(Protocol):
    """How rows get into a staged table."""

    def fill(self, table: str, file: Path) -> Filling:
        """Begin; the file is read before this returns."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class Staging:
    """The staged tables of one session."""

    def __init__(self, api: Api, filler: Filler, clock: Clock) -> None:
        self._api = api
        self._filler = filler
        self._clock = clock
        self._fillings: dict[str, Filling] = {}

    def add(self, file: Path, types: Mapping[str, str]) -> str:
        """The name of a new table, which has the rows of a file once `finish` was called."""
        table = f"{PREFIX}{uuid4().hex}"
        settings = self._api.settings
        self._api.post(
            f"datasets/{settings.dataset}/tables",
            {
                "tableReference": {"projectId": settings.project, "datasetId": settings.dataset, "tableId": table},
                "expirationTime": str(self._clock.now_ms() + KEPT_MS),
                "schema": {"fields": [{"name": name, "type": kind} for name, kind in types.items()]},
            },
        )
        self._fillings[table] = Nothing()
        self._fillings[table] = self._filler.fill(table, file)
        return table

    def finish(self) -> None:
        """All rows are where they were put."""
        for table, filling in self._fillings.items():
            filling.finish()
            self._fillings[table] = Nothing()

    def clear(self) -> None:
        """Remove the tables. One that cannot be removed now goes by itself."""
        for table in self._fillings:
            with suppress(WarehouseError):
                self._api.delete(f"datasets/{self._api.settings.dataset}/tables/{table}")
        self._fillings.clear()

    def close(self) -> None:
        """Give connections back."""
        self._filler.close()


class Nothing:
    """A Filling that is there already."""

    def finish(self) -> None:
        """See Filling."""


class LoadJobs:
    """By load jobs, which run beside each other."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def fill(self, table: str, file: Path) -> Filling:
        """See Filler."""
        return _LoadJob(self._jobs, self._jobs.start_load(table, file))

    def close(self) -> None:
        """See Filler."""


class _LoadJob:
    def __init__(self, jobs: Jobs, job: Json) -> None:
        self._jobs = jobs
        self._job = job

    def finish(self) -> None:
        """See Filling. What BigQuery says of rows, which a visitor sent, is left out."""
        try:
            self._jobs.wait(self._job)
        except RefusedError as error:
            if error.reason == "invalid":
                raise WarehouseRowError(f"BigQuery refuses these rows: {error.reason}") from error
            raise
