"""Rows by the Storage Write API: a pending stream for each staged table, whose rows are there when it is committed.

What was sent is sent again with the same offset, and stored once. Source: the pages "Use the BigQuery Storage Write API
to batch load data" and "google.cloud.bigquery.storage.v1" of BigQuery's documentation.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import grpc
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import (
    Forbidden,
    GoogleAPICallError,
    GoogleAPIError,
    InvalidArgument,
    NotFound,
    Unauthorized,
)
from google.cloud.bigquery_storage_v1 import types
from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.bigquery.api import FIRST_PAUSE_S, TRIES, credentials_of
from gateway.warehouses.bigquery.arrow import Batch, Batches, batches_of
from gateway.warehouses.bigquery.settings import BigQuerySettings
from gateway.warehouses.bigquery.staging import Filling, Nothing

T = TypeVar("T")

TRIES_OF_NEW = 8
"""A table that was made a moment ago may be unknown for a minute."""
_FOR_GOOD = (Forbidden, Unauthorized, InvalidArgument)
_STORED_BEFORE = grpc.StatusCode.ALREADY_EXISTS.value[0]
_INVALID = grpc.StatusCode.INVALID_ARGUMENT.value[0]
_COMMITTED_BEFORE = types.StorageError.StorageErrorCode.STREAM_ALREADY_COMMITTED


class WriteStreams:
    """A Filler."""

    def __init__(self, settings: BigQuerySettings, pause: Callable[[float], None]) -> None:
        self._settings = settings
        self._pause = pause
        self._client: BigQueryWriteClient | None = None

    def fill(self, table: str, file: Path) -> Filling:
        """See Filler. All rows are there when this returns."""
        settings, timeout_s = self._settings, self._settings.timeout
        place = f"projects/{settings.project}/datasets/{settings.dataset}/tables/{table}"
        pending = types.WriteStream(type_=types.WriteStream.Type.PENDING)
        create = types.CreateWriteStreamRequest(parent=place, write_stream=pending)
        stream = self._tried(lambda client: client.create_write_stream(create, retry=None, timeout=timeout_s)).name
        self._append(stream, batches_of(file))
        finalize = types.FinalizeWriteStreamRequest(name=stream)
        self._tried(lambda client: client.finalize_write_stream(finalize, retry=None, timeout=timeout_s))
        commit = types.BatchCommitWriteStreamsRequest(parent=place, write_streams=[stream])
        committed = self._tried(lambda client: client.batch_commit_write_streams(commit, retry=None, timeout=timeout_s))
        for error in committed.stream_errors:
            if error.code != _COMMITTED_BEFORE:
                raise WarehouseError(f"BigQuery does not commit a stream: {error.code.name}", hint="it is tried again")
        return Nothing()

    def close(self) -> None:
        """See Filler."""
        if self._client is not None:
            self._client.transport.close()  # type: ignore[no-untyped-call]  # the library's
            self._client = None

    def _append(self, stream: str, told: Batches) -> None:
        """Every batch; after a connection that broke, those that were not answered."""
        answered = 0
        longest_s = self._settings.timeout * (1 + len(told.batches))

        def send(client: BigQueryWriteClient) -> None:
            nonlocal answered
            requests = _requests(stream, told.schema, told.batches[answered:])
            for response in client.append_rows(requests, retry=None, timeout=longest_s, metadata=_routed(stream)):
                _check(response)
                answered += 1

        if told.batches:
            self._tried(send)
        if answered < len(told.batches):
            raise WarehouseError("BigQuery has not answered to all rows of a stream", hint="it is tried again")

    def _tried(self, do: Callable[[BigQueryWriteClient], T]) -> T:
        """More than once."""
        number = 0
        while True:
            try:
                return do(self._connected())
            except GoogleAPIError as error:
                number += 1
                if isinstance(error, _FOR_GOOD) or number >= (TRIES_OF_NEW if isinstance(error, NotFound) else TRIES):
                    raise self._refused(error) from error
            self._pause(FIRST_PAUSE_S * 2 ** (number - 1))

    def _connected(self) -> BigQueryWriteClient:
        if self._client is None:
            settings = self._settings
            if settings.is_emulated:
                channel = grpc.insecure_channel(settings.stream_endpoint or "localhost:9060")
                self._client = BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=channel))
            else:
                options = ClientOptions(api_endpoint=settings.stream_endpoint) if settings.stream_endpoint else None
                self._client = BigQueryWriteClient(credentials=credentials_of(settings), client_options=options)
        return self._client

    def _refused(self, error: GoogleAPIError) -> WarehouseError:
        told = error.message if isinstance(error, GoogleAPICallError) else str(error)
        hint = "it is tried again; see docs/warehouses/bigquery.md"
        if isinstance(error, Forbidden):
            hint = f"grant roles/bigquery.dataEditor on the dataset {self._settings.dataset}"
        return WarehouseError(f"BigQuery: {str(told).strip().partition(chr(10))[0]}", hint=hint)


def _requests(stream: str, schema: bytes, batches: Sequence[Batch]) -> Iterator[types.AppendRowsRequest]:
    for batch in batches:
        rows = types.AppendRowsRequest.ArrowData(
            writer_schema=types.ArrowSchema(serialized_schema=schema),
            rows=types.ArrowRecordBatch(serialized_record_batch=batch.message),
        )
        yield types.AppendRowsRequest(write_stream=stream, offset=batch.offset, arrow_rows=rows)


def _routed(stream: str) -> Sequence[tuple[str, str]]:
    """What tells Google's front ends where the stream is; the library does not for streams of requests."""
    return [("x-goog-request-params", f"write_stream={stream}")]


def _check(response: types.AppendRowsResponse) -> None:
    """What BigQuery says of rows, which a visitor sent, is left out."""
    if response.row_errors or response.error.code == _INVALID:
        raise WarehouseRowError(f"BigQuery refuses {len(response.row_errors) or 'some'} of these rows")
    if response.error.code not in (0, _STORED_BEFORE):
        raise WarehouseError(f"BigQuery: {response.error.message}", hint="it is tried again")
