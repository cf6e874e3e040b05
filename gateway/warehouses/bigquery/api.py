"""Requests to BigQuery's REST API, one after the other.

Every request may be sent again: jobs and tables are called by names that we choose, and a second one of the same name
is refused. Source: the pages "BigQuery API", "Error messages" and "Load jobs: multipart upload" of its reference.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import google.auth
import orjson
import requests
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.service_account import Credentials as ServiceAccount

from gateway.model.errors import WarehouseError
from gateway.warehouses.bigquery.settings import BigQuerySettings

ENDPOINT = "https://bigquery.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/bigquery",)
ALREADY_THERE, MISSING = 409, 404
TRIES = 4
FIRST_PAUSE_S = 0.5
"""Each is twice as long as the one before."""
_TOO_MUCH = ("quotaExceeded", "rateLimitExceeded", "jobRateLimitExceeded")
_TRIED_AGAIN = frozenset({429, 500, 502, 503, 504})

Json = dict[str, Any]
Parameters = Mapping[str, str | int]


class RefusedError(WarehouseError):
    """BigQuery's answer that something failed. `status` is that of HTTP, 200 for a job; `reason` is BigQuery's word."""

    def __init__(self, status: int, reason: str, said: str, hint: str) -> None:
        super().__init__(f"BigQuery: {said}", hint=hint)
        self.status = status
        self.reason = reason
        self.said = said


class Api:
    """Raises RefusedError where BigQuery answers with an error, WarehouseError where it does not answer."""

    def __init__(self, settings: BigQuerySettings, pause: Callable[[float], None]) -> None:
        self.settings = settings
        self.pause = pause
        self._address = settings.endpoint or ENDPOINT
        self._session: AuthorizedSession | None = None

    def get(self, path: str, parameters: Parameters | None = None) -> Json:
        """`path` is within the project."""
        return self._send("GET", f"/bigquery/v2/projects/{self.settings.project}/{path}", parameters)

    def post(self, path: str, body: Json) -> Json:
        """The same."""
        address = f"/bigquery/v2/projects/{self.settings.project}/{path}"
        return self._send("POST", address, None, orjson.dumps(body), "application/json")

    def delete(self, path: str) -> None:
        """The same."""
        self._send("DELETE", f"/bigquery/v2/projects/{self.settings.project}/{path}")

    def upload(self, path: str, body: Json, file: Path) -> Json:
        """A request with a file."""
        border = uuid4().hex.encode()
        parts = (
            (b"application/json; charset=UTF-8", orjson.dumps(body)),
            (b"application/octet-stream", file.read_bytes()),
        )
        whole = b"".join(b"--%b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (border, kind, part) for kind, part in parts)
        address = f"/upload/bigquery/v2/projects/{self.settings.project}/{path}"
        kind = f"multipart/related; boundary={border.decode()}"
        return self._send("POST", address, {"uploadType": "multipart"}, whole + b"--%b--\r\n" % border, kind)

    def close(self) -> None:
        """Give the connections back; others are made where they are needed."""
        if self._session is not None:
            self._session.close()  # type: ignore[no-untyped-call]  # the library's
            self._session = None

    def _send(
        self, method: str, path: str, parameters: Parameters | None = None, body: bytes = b"", kind: str = ""
    ) -> Json:
        headers = {"Content-Type": kind} if kind else {}
        for number in range(TRIES):
            is_last = number == TRIES - 1
            try:
                response = self._connected().request(  # type: ignore[no-untyped-call]  # the library's
                    method,
                    self._address + path,
                    params=parameters,
                    data=body or None,
                    headers=headers,
                    timeout=self.settings.timeout,
                )
            except (requests.RequestException, GoogleAuthError) as error:
                self.close()
                if is_last or isinstance(error, GoogleAuthError):
                    raise self._unreachable(error) from error
            else:
                if is_last or response.status_code not in _TRIED_AGAIN:
                    return self._answer(response)
            self.pause(FIRST_PAUSE_S * 2**number)
        raise AssertionError("the last try answers or raises")

    def _connected(self) -> AuthorizedSession:
        if self._session is None:
            self._session = AuthorizedSession(credentials_of(self.settings))  # type: ignore[no-untyped-call]  # the library's
        return self._session

    def _answer(self, response: requests.Response) -> Json:
        try:
            answer: Any = orjson.loads(response.content or b"{}")
        except orjson.JSONDecodeError:
            answer = {}
        if response.ok and isinstance(answer, dict):
            return answer
        told = answer.get("error") if isinstance(answer, dict) else None
        error = told if isinstance(told, dict) else {}
        reason = next((each.get("reason", "") for each in error.get("errors", [])), "")
        said = error.get("message") or f"{response.status_code} {response.reason}"
        raise self.refused(response.status_code, reason, said)

    def refused(self, status: int, reason: str, said: str) -> RefusedError:
        """The error with what to do about it. Only the first line is kept: others may tell what a visitor sent."""
        line = said.strip().partition("\n")[0]
        return RefusedError(status, reason, line, self._hint(status, reason, line))

    def _hint(self, status: int, reason: str, said: str) -> str:
        settings = self.settings
        if reason == "accessDenied":
            roles = "roles/bigquery.jobUser on the project {} and roles/bigquery.dataEditor on the dataset {}"
            return f"grant {roles.format(settings.project, settings.dataset)}"
        if reason == "notFound" and said.lower().startswith("not found: dataset"):
            return f"make the dataset: bq mk --dataset --location=EU {settings.project}:{settings.dataset}"
        if reason in _TOO_MUCH:
            return "it is tried again; raise batch.max_wait if that stays"
        if status == requests.codes.unauthorized:
            return "check the credentials; see docs/warehouses/bigquery.md"
        return "it is tried again; see docs/warehouses/bigquery.md"

    def _unreachable(self, error: Exception) -> WarehouseError:
        told = str(error).partition("\n")[0] or type(error).__name__
        if isinstance(error, GoogleAuthError):
            return WarehouseError(
                f"BigQuery: the credentials give no access: {told}",
                hint="check the key; see docs/warehouses/bigquery.md",
            )
        return WarehouseError(f"BigQuery cannot be reached at {self._address}: {told}", hint="it is tried again")


def credentials_of(settings: BigQuerySettings) -> Credentials:
    """What requests are signed with; nothing for an emulator. Raises WarehouseError where they cannot be read."""
    try:
        if settings.credentials is not None:
            path = str(settings.credentials)
            loaded = ServiceAccount.from_service_account_file(path, scopes=SCOPES)  # type: ignore[no-untyped-call]  # the library's
        elif settings.is_emulated:
            return AnonymousCredentials()  # type: ignore[no-untyped-call]  # the library's
        else:
            loaded, _ = google.auth.default(scopes=SCOPES)
    except (GoogleAuthError, OSError, ValueError) as error:
        told = str(error).partition("\n")[0]
        raise WarehouseError(
            f"BigQuery: the credentials cannot be read: {told}",
            hint="write the path of a service account's key as `credentials`; see docs/warehouses/bigquery.md",
        ) from error
    assert isinstance(loaded, Credentials)
    return loaded
