"""What the emulator never makes anybody wait for: jobs that run, answers in pages, a server that is too busy.

A server of the test's own answers what BigQuery's documentation says, one answer after the other.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.model.clock import ManualClock
from gateway.model.errors import WarehouseError
from gateway.warehouses.bigquery import BigQuerySettings
from gateway.warehouses.bigquery.api import Api, RefusedError
from gateway.warehouses.bigquery.jobs import Jobs

FIELDS = {"fields": [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}]}


class Script:
    """A server with a list of answers, each a status and a body."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.pauses: list[float] = []
        self.clock = ManualClock()
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                script.asked.append((self.command, address.path.rpartition("/shop-events/")[2], query))
                script.clock.advance(int(query.get("timeoutMs", 0)) / 1000)
                status, body = script.answers.pop(0)
                written = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(written)))
                self.end_headers()
                self.wfile.write(written)

            do_POST = do_GET  # noqa: N815 - as the library calls it

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        settings = {"project": "shop-events", "location": "EU", "timeout": 5}
        address = f"http://127.0.0.1:{self.server.server_port}"
        self.api = Api(BigQuerySettings.model_validate({**settings, "endpoint": address}), self.pauses.append)
        self.jobs = Jobs(self.api, self.clock)


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    assert made.answers == []
    made.api.close()
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def job(state: str, **error: str) -> dict[str, Any]:
    status = {"state": state} | ({"errorResult": error} if error else {})
    return {"jobReference": {"jobId": "j", "location": "EU"}, "status": status}


def busy(reason: str = "backendError") -> dict[str, Any]:
    return {"error": {"message": "busy", "errors": [{"reason": reason}]}}


def rows(*numbers: int, **more: Any) -> dict[str, Any]:
    return {"jobComplete": True, "schema": FIELDS, "rows": [{"f": [{"v": str(n)}]} for n in numbers]} | more


def test_a_load_job_is_waited_for_with_longer_pauses(script: Script):
    script.answers = [(200, job("RUNNING")), (200, job("RUNNING")), (200, job("DONE"))]

    script.jobs.wait(job("PENDING"))

    assert script.asked == [("GET", "jobs/j", {"location": "EU"})] * 3
    assert script.pauses == [0.2, 0.4, 0.8]


def test_a_job_that_fails_on_the_way_says_why(script: Script):
    script.answers = [(200, job("DONE", reason="invalid", message="no\nthe row"))]

    with pytest.raises(RefusedError, match=r"^BigQuery: no \(") as refused:
        script.jobs.wait(job("PENDING"))

    assert refused.value.reason == "invalid"


def test_an_answer_comes_in_pages_once_the_job_is_done(script: Script):
    script.answers = [
        (200, job("PENDING")),
        (200, {"jobComplete": False}),
        (200, rows(1, 2, pageToken="next")),
        (200, rows(3)),
    ]

    answer = script.jobs.run("select n from numbers")

    assert (answer.columns, answer.rows) == (["n"], [(1,), (2,), (3,)])
    assert [query.get("pageToken") for _, _, query in script.asked[1:]] == [None, None, "next"]


def test_no_more_rows_are_asked_for_than_are_wanted(script: Script):
    script.answers = [(200, rows(1, 2, pageToken="next")), (200, rows(3, pageToken="more"))]

    assert script.jobs.answer(job("RUNNING"), 3).rows == [(1,), (2,), (3,)]
    assert [query["maxResults"] for _, _, query in script.asked] == ["3", "1"]


def test_a_question_that_takes_too_long_is_told_to_end(script: Script):
    script.answers = [(200, {"jobComplete": False}), (200, {"jobComplete": False}), (200, {})]

    with pytest.raises(TimeoutError):
        script.jobs.answer(job("RUNNING"), 10, longest_s=12)

    assert [(method, path) for method, path, _ in script.asked][-1] == ("POST", "jobs/j/cancel")
    assert [query.get("timeoutMs") for _, _, query in script.asked] == ["10000", "2000", None]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(script: Script, status: int):
    script.answers = [(status, busy()), (status, busy()), (200, {"location": "EU"})]

    assert script.api.get("datasets/headwater") == {"location": "EU"}
    assert script.pauses == [0.5, 1.0]


def test_but_not_for_ever(script: Script):
    script.answers = [(503, busy())] * 4

    with pytest.raises(WarehouseError, match="BigQuery: busy"):
        script.api.get("datasets/headwater")


@pytest.mark.parametrize(
    ("status", "reason", "hint"),
    [
        (403, "quotaExceeded", "raise batch.max_wait"),
        (403, "accessDenied", "grant roles/bigquery"),
        (400, "invalidQuery", "docs/warehouses/bigquery.md"),
    ],
)
def test_what_will_be_the_same_again_is_said_at_once(script: Script, status: int, reason: str, hint: str):
    script.answers = [(status, busy(reason))]

    with pytest.raises(RefusedError) as refused:
        script.api.get("datasets/headwater")

    assert (refused.value.status, refused.value.reason) == (status, reason)
    assert hint in refused.value.hint
