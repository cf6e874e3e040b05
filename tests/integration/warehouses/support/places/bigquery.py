"""BigQuery: bqemulator in a process of its own, over HTTP and gRPC; a dataset for each test."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import requests

from gateway.warehouses.bigquery import BIGQUERY as KIND
from gateway.warehouses.bigquery.dialect import DIALECT
from tests.e2e.harness.ports import free_port
from tests.integration.warehouses.support.places.place import NewSettings, PlaceKind, Settings

EMULATOR = Path(__file__).parents[1] / "bqemulator"
STARTED_WITHIN_S = 60
PROJECT = "shop-events"


@contextmanager
def serve() -> Iterator[NewSettings]:
    """A server that is gone at the end."""
    rest_port, grpc_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="headwater.") as folder:
        command = [str(EMULATOR / ".venv/bin/python"), str(EMULATOR / "server.py"), str(rest_port), str(grpc_port)]
        environment = {"HOME": folder, "TMPDIR": folder}
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
            try:
                address = f"http://127.0.0.1:{rest_port}"
                _wait_for(address)
                yield _numbered(address, grpc_port)
            finally:
                server.kill()


def _numbered(address: str, grpc_port: int) -> NewSettings:
    numbers = count()

    def settings(_: Path) -> Settings:
        dataset = f"test_{next(numbers)}"
        body = {"datasetReference": {"projectId": PROJECT, "datasetId": dataset}, "location": "EU"}
        requests.post(f"{address}/bigquery/v2/projects/{PROJECT}/datasets", json=body, timeout=10).raise_for_status()
        return {
            "endpoint": address,
            "stream_endpoint": f"127.0.0.1:{grpc_port}",
            "project": PROJECT,
            "dataset": dataset,
        }

    return settings


def _wait_for(address: str) -> None:
    until = time.monotonic() + STARTED_WITHIN_S
    while True:
        try:
            requests.get(f"{address}/readyz", timeout=10)
        except requests.ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


BIGQUERY = PlaceKind(
    kind=KIND,
    serve=serve,
    columns="select column_name, data_type from INFORMATION_SCHEMA.COLUMNS where table_name = '{table}'",
    types={sql_type: kind for kind, sql_type in DIALECT.types.items()},
    quoted=DIALECT.name,
    is_slow=True,
    can_widen=False,
    examples=10,
    kills=10,
    left_out={"test_a_question_that_takes_too_long_is_stopped": "bqemulator answers when a job is done, not before"},
)
