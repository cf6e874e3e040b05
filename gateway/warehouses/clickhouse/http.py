"""Requests to ClickHouse's HTTP interface, one after the other over one connection."""

import ssl
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.clickhouse.settings import ClickHouseSettings

LONGEST_ANSWER_S = 300.0
"""A statement that takes longer is given up, and tried again."""
ROWS_AT_FAULT = frozenset({6, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 131, 321, 349})
"""Codes of errors about values, which will not be others next time."""
UNKNOWN_DATABASE, TIMEOUT, ACCESS_DENIED, TABLE_READONLY, TOO_MANY_PARTS = 81, 159, 497, 242, 252
_CREDENTIALS = frozenset({192, 193, 194, 516})
_HINTS = {
    ACCESS_DENIED: "grant what docs/warehouses/clickhouse.md lists",
    TOO_MANY_PARTS: "the server merges more slowly than it is given rows: raise batch.max_wait",
    TABLE_READONLY: "the replica has lost its keeper; nothing is lost meanwhile",
}

Parameters = Mapping[str, str | int | float]

ANSWERS = "JSONCompactEachRowWithNamesAndTypes"
_ALWAYS: Parameters = {
    "default_format": ANSWERS,
    "wait_end_of_query": 1,
    "output_format_json_quote_64bit_integers": 0,
    "date_time_output_format": "simple",
    "max_query_size": 2**24,
}
"""An answer says at its beginning whether the statement has failed."""


class RefusedError(WarehouseError):
    """The server's answer to a statement. `code` is ClickHouse's number, `said` its whole message."""

    def __init__(self, code: int, said: str, hint: str) -> None:
        super().__init__(f"ClickHouse: {said}", hint=hint)
        self.code = code
        self.said = said


class Upload(NamedTuple):
    """A file that goes with a query, as a table of this name and structure."""

    name: str
    structure: str
    file: Path


class Http:
    """Raises RefusedError where the server answers with an error, WarehouseError where it does not answer."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        self._settings = settings
        self._address = urlsplit(settings.url)
        self._connection: HTTPConnection | None = None
        self._headers = {"X-ClickHouse-User": settings.user, "User-Agent": "headwater"}
        if settings.password is not None:
            self._headers["X-ClickHouse-Key"] = settings.password.get_secret_value()

    def run(
        self, sql: str, parameters: Parameters | None = None, longest_s: float = LONGEST_ANSWER_S
    ) -> tuple[str, bytes]:
        """The format of the answer, and the answer."""
        return self._send(sql.encode(), {}, parameters or {}, longest_s)

    def insert(self, sql: str, file: Path, parameters: Parameters) -> None:
        """A statement whose rows are in the file."""
        self._send(file.read_bytes(), {}, {"query": sql, **parameters}, LONGEST_ANSWER_S)

    def with_file(self, sql: str, upload: Upload, parameters: Parameters) -> bytes:
        """The answer to a query over a file of Parquet."""
        boundary = uuid4().hex
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{upload.name}"; filename="{upload.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        body += upload.file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        about_file = {f"{upload.name}_format": "Parquet", f"{upload.name}_structure": upload.structure}
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self._send(body, headers, {"query": sql, **about_file, **parameters}, LONGEST_ANSWER_S)[1]

    def close(self) -> None:
        """Give the connection back; another one is made where it is needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(
        self, body: bytes, headers: Mapping[str, str], parameters: Parameters, longest_s: float
    ) -> tuple[str, bytes]:
        all_parameters = {"database": self._settings.database, **_ALWAYS, **parameters}
        path = f"{self._address.path}/?{urlencode(all_parameters)}"
        response, answer = self._exchange(path, body, {**self._headers, **headers}, longest_s)
        if response.status == 200 and "X-ClickHouse-Exception-Code" not in response.headers:  # noqa: PLR2004 - OK
            return response.headers.get("X-ClickHouse-Format", ""), answer
        raise self._refused(response, answer)

    def _exchange(
        self, path: str, body: bytes, headers: Mapping[str, str], longest_s: float
    ) -> tuple[HTTPResponse, bytes]:
        """Once more where the server had closed a connection that was used before: it has not read the request."""
        is_used = self._connection is not None
        try:
            return self._post(path, body, headers, longest_s)
        except (ConnectionError, HTTPException, OSError) as error:
            self.close()
            if not (is_used and isinstance(error, ConnectionError)):
                raise self._unreachable(error) from error
        try:
            return self._post(path, body, headers, longest_s)
        except (HTTPException, OSError) as error:
            self.close()
            raise self._unreachable(error) from error

    def _post(self, path: str, body: bytes, headers: Mapping[str, str], longest_s: float) -> tuple[HTTPResponse, bytes]:
        connection = self._connection
        if connection is None or connection.sock is None:
            self._connection = connection = self._connect()
        connection.sock.settimeout(longest_s)
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return response, response.read()

    def _connect(self) -> HTTPConnection:
        host, timeout_s = self._address.hostname or "", self._settings.timeout
        if self._address.scheme == "https":
            context = ssl.create_default_context()
            connection: HTTPConnection = HTTPSConnection(host, self._address.port, timeout=timeout_s, context=context)
        else:
            connection = HTTPConnection(host, self._address.port, timeout=timeout_s)
        connection.auto_open = 0
        connection.connect()
        return connection

    def _unreachable(self, error: Exception) -> WarehouseError:
        told = str(error) or type(error).__name__
        return WarehouseError(
            f"ClickHouse cannot be reached at {self._settings.url}: {told}",
            hint="check the url, and that the server listens there; it is tried again",
        )

    def _refused(self, response: HTTPResponse, answer: bytes) -> RefusedError:
        told = response.headers.get("X-ClickHouse-Exception-Code", "")
        code = int(told) if told.isdigit() else 0
        said = answer.decode(errors="replace").strip()
        hint = _HINTS.get(code, "it is tried again; see docs/warehouses/clickhouse.md")
        if code in _CREDENTIALS:
            hint = f"check the password of {self._settings.user}"
        return RefusedError(code, said or f"{response.status} {response.reason}", hint)


def at_fault(error: RefusedError, names: Sequence[str] = ()) -> WarehouseRowError | None:
    """The error where it is about rows that were inserted: what is said of them, which a visitor sent, is left out."""
    if error.code not in ROWS_AT_FAULT:
        return None
    _, _, name = error.said.rpartition("(")
    where = f" of {', '.join(names)}" if names else ""
    return WarehouseRowError(f"ClickHouse refuses these rows{where}: {name.partition(')')[0]} ({error.code})")
