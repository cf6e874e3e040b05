"""Logs on stderr: one JSON object a line for journald, or text for a terminal.

Secrets are kept out by construction: nobody hands them in, and tracebacks never show the values of variables.
"""

import json
import logging
import sys
from typing import Any, Protocol, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


class LogOptions(Protocol):
    """The `[log]` section of the configuration."""

    @property
    def level(self) -> str:
        """One of debug, info, warning, error."""
        ...

    @property
    def format(self) -> str:
        """`json` or `console`."""
        ...


def configure_logging(options: LogOptions, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream` (stderr) in one format.

    Fields of every JSON record: `timestamp` (ISO 8601, UTC), `level`, `event`, and `exception` where there is one.
    """
    target = sys.stderr if stream is None else stream
    level = logging.getLevelNamesMapping()[options.level.upper()]
    stamped: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendered = _json() if options.format == "json" else _console(target)
    structlog.configure(
        processors=[*stamped, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *stamped],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.INFO), force=True)


def _json() -> list[Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_serialise)]


def _console(target: TextIO) -> list[Processor]:
    return [
        structlog.dev.ConsoleRenderer(colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback),
        _end_without_spaces,
    ]


def _serialise(record: EventDict, **options: Any) -> str:
    """orjson refuses lone surrogates and integers beyond 64 bits; a log line must never raise for its content."""
    try:
        return orjson.dumps(record, **options).decode()
    except TypeError:
        return json.dumps(record, **options)


def _end_without_spaces(_logger: WrappedLogger, _method: str, line: Any) -> str:
    """The console's columns are padded, also behind the last one."""
    return str(line).rstrip()
