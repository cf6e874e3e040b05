"""HTTP to the admin listener, over TCP or a Unix socket; the standard library's, so that commands start fast."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import click

TIMEOUT_S = 15.0
SUCCESS = 200
DEFAULT_PORT = 9090
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a listener is bound to, and how to reach it


class RefusedError(click.ClickException):
    """The answer is no."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nHint: {hint}" if hint else message)


class UnreachableError(RefusedError):
    """No daemon answers."""

    exit_code = 3


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """The daemon whose admin listener is at `address`: http://host:port, host:port or unix:/path."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get(self, path: str, timeout_s: float = TIMEOUT_S, /, **query: str | int | None) -> Any:
        """The JSON that the daemon answers."""
        return self._ask("GET", _target(path, query), None, timeout_s)

    def post(self, path: str, fields: dict[str, Any], timeout_s: float = TIMEOUT_S) -> Any:
        """The JSON that the daemon answers to the JSON of `fields`."""
        return self._ask("POST", path, json.dumps(fields).encode(), timeout_s)

    def send(self, path: str, body: bytes, **query: str | int | None) -> Any:
        """The JSON that the daemon answers to `body` as it is."""
        return self._ask("POST", _target(path, query), body, TIMEOUT_S)

    def lines(self, path: str, **query: str | int | None) -> Iterator[bytes]:
        """The lines of an answer that does not end by itself; empty ones are left out."""
        return self._lines("GET", _target(path, query), None, TIMEOUT_S)

    def follow(self, path: str, fields: dict[str, Any], timeout_s: float) -> Iterator[Any]:
        """The JSON of each line that the daemon answers to the JSON of `fields`, at most `timeout_s` apart."""
        return map(json.loads, self._lines("POST", path, json.dumps(fields).encode(), timeout_s))

    def _lines(self, method: str, target: str, body: bytes | None, timeout_s: float) -> Iterator[bytes]:
        with closing(self._connect(timeout_s)) as connection:
            try:
                response = self._exchange(connection, method, target, body)
                yield from (line for line in response if line.strip())
            except (OSError, HTTPException) as error:
                raise UnreachableError(f"the daemon at {self._address} has gone: {error}") from error

    def _ask(self, method: str, target: str, body: bytes | None, timeout_s: float) -> Any:
        with closing(self._connect(timeout_s)) as connection:
            try:
                return json.loads(self._exchange(connection, method, target, body).read())
            except TimeoutError as error:
                raise UnreachableError(f"the daemon at {self._address} took longer than {timeout_s:g} s") from error
            except (OSError, HTTPException) as error:
                hint = "start it with `headwater run --config FILE`, or say where it is: --admin, or HEADWATER_ADMIN"
                raise UnreachableError(f"no daemon answers at {self._address}", hint) from error
            except ValueError as error:
                raise self._stranger() from error

    def _exchange(self, connection: HTTPConnection, method: str, target: str, body: bytes | None) -> HTTPResponse:
        connection.request(method, target, body, {"X-Headwater": "1", "Accept": "application/json"})
        response = connection.getresponse()
        if response.status == SUCCESS:
            return response
        try:
            answer = json.loads(response.read())
            raise RefusedError(answer["error"], answer["hint"])
        except (ValueError, KeyError, TypeError) as error:
            raise self._stranger() from error

    def _connect(self, timeout_s: float) -> HTTPConnection:
        if self._address.startswith("unix:"):
            return UnixConnection(self._address.removeprefix("unix:"), timeout_s)
        host, port = _host_and_port(self._address)
        return HTTPConnection(ANY_ADDRESS.get(host, host), port, timeout=timeout_s)

    def _stranger(self) -> RefusedError:
        hint = "Prometheus has the same port by default; see also the daemon's log"
        return RefusedError(f"what answers at {self._address} does not speak as Headwater does", hint)


def _target(path: str, query: Mapping[str, str | int | None]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _host_and_port(address: str) -> tuple[str, int]:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        host, port = parts.hostname, parts.port or DEFAULT_PORT
    except ValueError:
        host, port = None, 0
    if parts.scheme != "http" or not host:
        raise click.UsageError(f"{address} is no address: write http://host:port or unix:/path")
    return host, port


def quoted(part: str) -> str:
    """`part` as one segment of a path."""
    return quote(part, safe="")
