"""Places for an archive's objects: a folder, a bucket of S3, and one of Google's; each is read by other means."""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import zstandard
from moto.server import ThreadedMotoServer

from gateway.warehouses.archive import ArchiveSettings

BUCKET = "shop-archive"
PREFIX = "raw/events"
CREDENTIALS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "s3cret-key"}
SIGNATURE = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20251125/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
)

Line = dict[str, Any]


class Objects:
    """What is in the place, and settings that lead there."""

    def __init__(self, settings: dict[str, Any], contents: Callable[[], dict[str, bytes]]) -> None:
        self._settings = settings
        self._contents = contents

    def place(self, **more: Any) -> dict[str, Any]:
        """The keys of a configuration that lead there, and others."""
        return {**self._settings, "timeout": 10, **more}

    def settings(self, **more: Any) -> ArchiveSettings:
        return ArchiveSettings.model_validate(self.place(**more))

    def contents(self) -> dict[str, bytes]:
        """Everything, by its path."""
        return self._contents()

    def paths(self) -> list[str]:
        """Of the objects with events."""
        return sorted(path for path in self._contents() if not path.startswith("_headwater/"))

    def lines(self) -> list[Line]:
        """Of all objects, by offset."""
        contents = self._contents()
        found = [json.loads(line) for path in self.paths() for line in plain(path, contents[path]).splitlines()]
        return sorted(found, key=lambda line: line["offset"])

    def offsets(self) -> list[int]:
        return [line["offset"] for line in self.lines()]


def plain(path: str, body: bytes) -> bytes:
    return gzip.decompress(body) if path.endswith(".gz") else zstandard.ZstdDecompressor().decompress(body)


def folder(root: Path) -> Objects:
    """A folder that is not there yet."""

    def contents() -> dict[str, bytes]:
        files = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".part"]
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}

    return Objects({"url": str(root)}, contents)


@contextmanager
def s3_server() -> Iterator[str]:
    """Its address. Google's XML API differs by a token in the place of a signature, and by escaped slashes."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    assert server._server is not None
    application = server._server.app

    def as_s3(environ: dict[str, Any], start_response: Any) -> Any:
        if not environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4"):
            environ["HTTP_AUTHORIZATION"] = SIGNATURE
            path, mark, query = environ["RAW_URI"].partition("?")
            environ["RAW_URI"] = unquote(path) + mark + query
        return application(environ, start_response)

    server._server.app = as_s3
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def bucket(address: str, *, exists: bool = True) -> Objects:
    """An empty bucket of S3."""
    client = _client(address)
    _empty(client)
    if exists:
        client.create_bucket(Bucket=BUCKET)
    settings = {"url": f"s3://{BUCKET}/{PREFIX}", "endpoint": address, "region": "us-east-1", **CREDENTIALS}
    return Objects(settings, lambda: _contents(client))


def google_bucket(address: str, folder: Path) -> Objects:
    """An empty bucket of Google Cloud Storage, with a service account."""
    client = _client(address)
    _empty(client)
    client.create_bucket(Bucket=BUCKET)
    account = folder / "account.json"
    account.write_text(
        json.dumps(
            {
                "disable_oauth": True,
                "gcs_base_url": address,
                "client_email": "",
                "private_key": "s3cret",
                "private_key_id": "",
            }
        )
    )
    settings = {"url": f"gs://{BUCKET}/{PREFIX}", "endpoint": address, "service_account_file": account}
    return Objects(settings, lambda: _contents(client))


def _client(address: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["access_key_id"],
        aws_secret_access_key=CREDENTIALS["secret_access_key"],
    )


def _empty(client: Any) -> None:
    if any(each["Name"] == BUCKET for each in client.list_buckets()["Buckets"]):
        for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            client.delete_object(Bucket=BUCKET, Key=found["Key"])
        client.delete_bucket(Bucket=BUCKET)


def _contents(client: Any) -> dict[str, bytes]:
    keys = [found["Key"] for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    assert all(key.startswith(f"{PREFIX}/") for key in keys)
    return {key.removeprefix(f"{PREFIX}/"): client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}
