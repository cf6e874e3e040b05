"""How a folder or a bucket is reached."""

from pathlib import PurePosixPath
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, FilePath, SecretStr, model_validator

from gateway.config import WarehouseSettings
from gateway.config.units import BaseUrl, Duration

_SHAPE = 'write "s3://BUCKET/PREFIX", "gs://BUCKET/PREFIX", or an absolute path like "/var/lib/headwater/archive"'


def _place(url: str) -> str:
    parts = urlsplit(url)
    is_bucket = parts.scheme in {"s3", "gs"} and parts.netloc and not (parts.username or parts.query or parts.fragment)
    is_path = parts.scheme in {"", "file"} and not parts.netloc and parts.path.startswith("/")
    if not (is_bucket or is_path) or ".." in PurePosixPath(parts.path).parts:
        raise ValueError(_SHAPE)
    return url.rstrip("/") or "/"


class ObjectSettings(WarehouseSettings):
    """A folder, or the part of a bucket below a prefix."""

    url: Annotated[str, AfterValidator(_place)]
    """Where to: `"s3://BUCKET/PREFIX"`, `"gs://BUCKET/PREFIX"`, or an absolute path."""
    endpoint: BaseUrl | None = None
    """Address of an S3-compatible store; without it, the cloud's own."""
    region: str = ""
    """Region of the S3 bucket; empty: from the environment, else us-east-1."""
    access_key_id: str = ""
    """Key id for S3; empty: from the environment, or the machine's role."""
    secret_access_key: SecretStr | None = None
    """The secret that belongs to it."""
    service_account_file: FilePath | None = None
    """Key file (JSON) of a service account, for Google; without it, from the environment, or the machine's account."""
    timeout: Duration = 60
    """For one request."""

    @property
    def scheme(self) -> str:
        """`s3`, `gs`, or `file` for a path."""
        return urlsplit(self.url).scheme or "file"

    @property
    def bucket(self) -> str:
        """Empty for a path."""
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        """Below the bucket, without a slash at its ends; of a path, all of it."""
        path = urlsplit(self.url).path
        return path.strip("/") if self.bucket else path

    @model_validator(mode="after")
    def _credentials_fit(self) -> Self:
        if bool(self.access_key_id) != (self.secret_access_key is not None):
            raise ValueError("access_key_id and secret_access_key belong together; set both, or neither")
        if self.scheme != "s3" and (self.access_key_id or self.region):
            raise ValueError('access_key_id and region are for a url that begins with "s3://"')
        if self.scheme != "gs" and self.service_account_file:
            raise ValueError('service_account_file is for a url that begins with "gs://"')
        if self.scheme == "file" and self.endpoint:
            raise ValueError("endpoint is for a bucket; a path has none")
        return self
