"""Jobs: queries, scripts and loads, each called by a name that makes it run once however often it is asked for.

Source: the pages "Running jobs programmatically" and "Method: jobs.insert" of BigQuery's documentation.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.model.clock import Clock
from gateway.model.errors import WarehouseError
from gateway.warehouses.bigquery.answers import Field, rows_of
from gateway.warehouses.bigquery.api import ALREADY_THERE, Api, Json, Parameters, RefusedError
from gateway.warehouses.servers.session import Row

PAGE_ROWS = 10_000
LONGEST_POLL_S = 10.0
"""An answer to "is it ready" takes so long at most."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 3.0
"""Between two questions after a load job."""


class Answer(NamedTuple):
    """Of a query."""

    columns: list[str]
    rows: list[Row]


class Jobs:
    """Raises RefusedError where a job fails."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._location = api.settings.location

    @property
    def location(self) -> str:
        """Where the dataset is."""
        if not self._location:
            self._location = str(self._api.get(f"datasets/{self._api.settings.dataset}").get("location", "US"))
        return self._location

    def run(self, sql: str, max_rows: int | None = None, *, is_bare: bool = False) -> Answer:
        """Run a query or a script, and wait for it. `is_bare`: names of tables have their dataset in front."""
        return self.answer(self.start_query(sql, is_bare=is_bare), max_rows)

    def count(self, sql: str) -> int:
        """Run a statement that changes rows; how many it did."""
        job = self.start_query(sql)
        self.answer(job, 0)
        return int(self._again(job)["statistics"]["query"].get("numDmlAffectedRows", 0))

    def start_query(self, sql: str, *, is_bare: bool = False) -> Json:
        """The job."""
        return self._start({"query": self._query(sql, is_bare=is_bare)})

    def statement_type(self, sql: str) -> str:
        """What BigQuery calls such a statement, "SELECT" for one that only reads. Nothing is run."""
        body = {"configuration": {"dryRun": True, "query": self._query(sql)}, "jobReference": self._reference()}
        job = self._api.post("jobs", body)
        self._check(job)
        return str(job["statistics"]["query"].get("statementType", ""))

    def start_load(self, table: str, file: Path) -> Json:
        """The job that puts a file of Parquet into a table that is empty."""
        load = {
            "destinationTable": self._table(table),
            "sourceFormat": "PARQUET",
            "createDisposition": "CREATE_NEVER",
            "writeDisposition": "WRITE_EMPTY",
        }
        return self._start({"load": load}, file)

    def wait(self, job: Json) -> None:
        """Until it is done."""
        pause_s = FIRST_PAUSE_S
        while job["status"]["state"] != "DONE":
            self._api.pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            job = self._again(job)
        self._check(job)

    def answer(self, job: Json, max_rows: int | None = None, longest_s: float | None = None) -> Answer:
        """Of a query's job, when it is done; of a script that of its last statement.

        Raises TimeoutError when that takes longer; the job is told to end.
        """
        until = None if longest_s is None else self._clock.monotonic_s() + longest_s
        self._check(job)
        columns: Sequence[Field] = ()
        rows: list[Row] = []
        token = ""
        while True:
            page = self._page(job, token, until, PAGE_ROWS if max_rows is None else max_rows - len(rows))
            if not page.get("jobComplete"):
                continue
            columns = page.get("schema", {}).get("fields", ())
            rows += rows_of(columns, page.get("rows", ()))
            token = page.get("pageToken", "")
            if not token or (max_rows is not None and len(rows) >= max_rows):
                return Answer([field["name"] for field in columns], rows)

    def _again(self, job: Json) -> Json:
        return self._api.get(f"jobs/{job['jobReference']['jobId']}", {"location": self.location})

    def _page(self, job: Json, token: str, until: float | None, most_rows: int) -> Json:
        job_id = job["jobReference"]["jobId"]
        left_s = LONGEST_POLL_S if until is None else min(LONGEST_POLL_S, until - self._clock.monotonic_s())
        if left_s <= 0:
            self._api.post(f"jobs/{job_id}/cancel?location={self.location}", {})
            raise TimeoutError
        asked: Parameters = {
            "location": self.location,
            "maxResults": min(PAGE_ROWS, most_rows),
            "timeoutMs": max(1, round(left_s * 1000)),
            "formatOptions.useInt64Timestamp": "true",
        }
        return self._api.get(f"queries/{job_id}", {**asked, "pageToken": token} if token else asked)

    def _start(self, configuration: Json, file: Path | None = None) -> Json:
        """Where the answer was lost, the job is there when it is asked for again."""
        body = {"configuration": configuration, "jobReference": self._reference()}
        try:
            return self._api.post("jobs", body) if file is None else self._api.upload("jobs", body, file)
        except RefusedError as error:
            if error.status != ALREADY_THERE:
                raise
            return self._again(body)

    def _check(self, job: Json) -> None:
        status = job.get("status", {})
        error = status.get("errorResult") if status.get("state") == "DONE" else None
        if error:
            raise self._api.refused(200, error.get("reason", ""), error.get("message", "a job has failed"))

    def _query(self, sql: str, *, is_bare: bool = False) -> Json:
        dataset = {"projectId": self._api.settings.project, "datasetId": self._api.settings.dataset}
        query: Json = {"query": sql, "useLegacySql": False}
        return query if is_bare else {**query, "defaultDataset": dataset}

    def _table(self, name: str) -> Json:
        settings = self._api.settings
        return {"projectId": settings.project, "datasetId": settings.dataset, "tableId": name}

    def _reference(self) -> Json:
        name = f"headwater_{secrets.token_hex(16)}"
        return {"projectId": self._api.settings.project, "jobId": name, "location": self.location}


def timed_out(longest_s: float) -> WarehouseError:
    """What to say of a question."""
    return WarehouseError(
        f"the query took longer than {longest_s:g} s", hint="ask for less, or allow more with --timeout"
    )
