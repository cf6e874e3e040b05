"""Log lines as journald and a terminal get them."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import structlog

from gateway.observe.logging import configure_logging


@dataclass(frozen=True)
class Options:
    level: str = "info"
    format: str = "json"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the log goes; what the process logs with is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def records(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail_with(password: str) -> None:
    raise LookupError("no such user" if password else "")


def test_a_record_is_one_json_object_with_a_utc_time_a_level_and_its_fields(stream: io.StringIO):
    configure_logging(Options(), stream)

    structlog.get_logger().info("destination.started", destination="crm", next_offset=7)

    (record,) = records(stream)
    at = datetime.fromisoformat(str(record.pop("timestamp")))
    assert at.utcoffset() == timedelta(0)
    assert record == {"level": "info", "event": "destination.started", "destination": "crm", "next_offset": 7}


def test_the_standard_librarys_records_come_in_the_same_form(stream: io.StringIO):
    configure_logging(Options(), stream)

    logging.getLogger("aiohttp.server").error("Error handling request from %s", "::1")

    (record,) = records(stream)
    assert record["event"] == "Error handling request from ::1"
    assert record["level"] == "error"
    assert record["logger"] == "aiohttp.server"
    assert "timestamp" in record


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_values_of_variables(stream: io.StringIO, form: str):
    configure_logging(Options(format=form), stream)

    try:
        fail_with("2retnuh"[::-1])
    except LookupError:
        structlog.get_logger().exception("worker.died")
        logging.getLogger("aiohttp.server").exception("died")

    assert stream.getvalue().count("LookupError: no such user") == 2
    assert "hunter2" not in stream.getvalue()


def test_records_below_the_level_are_left_out(stream: io.StringIO):
    configure_logging(Options(level="warning"), stream)

    structlog.get_logger().info("small")
    logging.getLogger("aiohttp").info("small")
    structlog.get_logger().warning("large")

    assert [record["event"] for record in records(stream)] == ["large"]


@pytest.mark.parametrize("value", ["\ud800", 2**70, b"\xff", object, {1: 2}])
def test_a_value_that_json_does_not_know_never_breaks_the_caller(stream: io.StringIO, value: object):
    configure_logging(Options(), stream)

    structlog.get_logger().warning("odd", value=value)

    assert [record["event"] for record in records(stream)] == ["odd"]


def test_a_console_that_is_no_terminal_gets_no_colours(stream: io.StringIO):
    configure_logging(Options(format="console"), stream)

    structlog.get_logger().info("queue.opened", events=3)

    assert "\x1b" not in stream.getvalue()
    assert "queue.opened" in stream.getvalue()
    assert "events=3" in stream.getvalue()
