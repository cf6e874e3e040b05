"""JSON out and in, tolerant of what clients' events and warehouses hold."""

import json
from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from gateway.model.errors import HeadwaterError
from gateway.model.event import from_epoch_ms, to_iso

JSON = "application/json"


class RequestError(HeadwaterError):
    """The operator asked for something that is not there or not allowed."""

    def __init__(self, message: str, *, hint: str = "", status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message, hint=hint)
        self.status = status


def json_answer(value: Any, status: int = HTTPStatus.OK) -> web.Response:
    """`value` as JSON."""
    return web.Response(body=encode(value), status=status, content_type=JSON)


def encode(value: Any) -> bytes:
    """JSON of plain data, and of what warehouses return: times, decimals, UUIDs, bytes, integers of any size."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return json.dumps(value, default=_plain).encode()


def as_stored(event: bytes) -> orjson.Fragment:
    """The JSON of an event for `encode`, which leaves it byte for byte as it is: numbers stay as they were sent."""
    return orjson.Fragment(event)


async def read_object(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body of a request; an empty body is an empty object."""
    body = await request.read()
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise RequestError(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise RequestError("the body must be a JSON object")
    return value


def text_field(fields: Mapping[str, Any], name: str) -> str:
    """A required text."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise RequestError(f'"{name}" is missing, or is not a text')
    return value


def whole_number(fields: Mapping[str, Any], name: str, default: int, most: int) -> int:
    """A number from 0 to `most`, which may come as text in a query."""
    value = fields.get(name, default)
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise RequestError(f'"{name}" is not a whole number') from error
    if not 0 <= number <= most:
        raise RequestError(f'"{name}" must be from 0 to {most}')
    return number


def iso(at_ms: int | None) -> str | None:
    """Epoch milliseconds as people read them; none, and the zero that stands for none, stay none."""
    return to_iso(from_epoch_ms(at_ms)) if at_ms else None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return b64encode(value).decode()
    return list(value) if isinstance(value, set | frozenset | tuple) else str(value)
