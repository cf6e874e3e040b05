"""Objects in a bucket of Amazon S3, of what speaks its protocol, or of Google Cloud Storage."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import GCSStore, S3Store

from gateway.model.errors import WarehouseError
from gateway.warehouses.objects.settings import ObjectSettings

if TYPE_CHECKING:
    from obstore.store import ClientConfig, GCSConfig, RetryConfig, S3Config

MAX_RETRIES = 2
"""Of one request, at once; what still fails is the loader's to try again."""

_NO_BUCKET = "NoSuchBucket"
_SAID = re.compile(r"<Code>([^<]*)</Code>.*?<Message>([^<]*)</Message>", re.DOTALL)
_MAX_WORDS = 300


class Bucket:
    """A Store."""

    def __init__(self, settings: ObjectSettings) -> None:
        with _in_words():
            self._store = _s3(settings) if settings.scheme == "s3" else _google(settings)

    def get(self, path: str) -> bytes | None:
        """As `Store.get` says."""
        with _in_words():
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except FileNotFoundError as error:
                if _NO_BUCKET in str(error):
                    raise
                return None

    def put(self, path: str, body: bytes) -> None:
        """As `Store.put` says. In one request, which is done as a whole or not at all."""
        with _in_words():
            obstore.put(self._store, path, body, use_multipart=False)

    def delete(self, path: str) -> None:
        """As `Store.delete` says."""
        with _in_words():
            try:
                obstore.delete(self._store, path)
            except FileNotFoundError as error:
                if _NO_BUCKET in str(error):
                    raise

    def list(self, folder: str) -> Iterator[str]:
        """As `Store.list` says."""
        with _in_words():
            for page in obstore.list(self._store, folder or None):
                for found in page:
                    yield found["path"]

    def folders(self, folder: str) -> Sequence[str]:
        """As `Store.folders` says."""
        with _in_words():
            found = obstore.list_with_delimiter(self._store, folder or None)
            return sorted(path.rpartition("/")[2] for path in found["common_prefixes"])


def _s3(settings: ObjectSettings) -> S3Store:
    """What is not set is looked for where AWS's own tools look: in the environment, and with the machine's role."""
    config: S3Config = {"disable_bulk_delete": True}
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
    if settings.region:
        config["region"] = settings.region
    if settings.secret_access_key:
        config["access_key_id"] = settings.access_key_id
        config["secret_access_key"] = settings.secret_access_key.get_secret_value()
    return S3Store(
        settings.bucket,
        prefix=settings.path or None,
        config=config,
        client_options=_client(settings),
        retry_config=_retries(settings),
    )


def _google(settings: ObjectSettings) -> GCSStore:
    """What is not set is looked for where Google's own tools look."""
    config: GCSConfig = {}
    if settings.endpoint:
        config["base_url"] = settings.endpoint
    if settings.service_account_file:
        config["service_account"] = str(settings.service_account_file)
    return GCSStore(
        settings.bucket,
        prefix=settings.path or None,
        config=config,
        client_options=_client(settings),
        retry_config=_retries(settings),
    )


def _client(settings: ObjectSettings) -> "ClientConfig":
    is_plain = settings.endpoint is not None and settings.endpoint.startswith("http://")
    return {"timeout": timedelta(seconds=settings.timeout), "allow_http": is_plain}


def _retries(settings: ObjectSettings) -> "RetryConfig":
    return {"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=settings.timeout)}


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise WarehouseError(_words(str(error))) from error


def _words(error: str) -> str:
    """What the service said; where it said nothing, what the driver does."""
    said = _SAID.search(error)
    text = f"{said[1]}: {said[2]}" if said else error.partition("\n\nDebug source:")[0]
    return " ".join(text.split())[:_MAX_WORDS]
