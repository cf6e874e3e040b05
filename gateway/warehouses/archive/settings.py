"""The settings of an archive."""

from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, FilePath, SecretStr, ValidationInfo, field_validator, model_validator

from gateway.config import BatchSettings, WarehouseSettings
from gateway.config.units import BaseUrl, Duration, Size

_SHAPE = 'write "s3://BUCKET/PREFIX", "gs://BUCKET/PREFIX", or an absolute path like "/var/lib/headwater/archive"'


class ArchiveBatchSettings(BatchSettings):
    """One load, which becomes one object for each source and hour in it."""

    max_events: int = Field(default=20_000, ge=1)
    """Events of one load, which becomes one file for each source and hour in it."""
    max_bytes: Size = 16 * 2**20
    """Bytes of one load, before compression."""
    max_wait: Duration = 300
    """How old an event may get before it is there."""


def _place(url: str) -> str:
    parts = urlsplit(url)
    is_bucket = parts.scheme in {"s3", "gs"} and parts.netloc and not (parts.username or parts.query or parts.fragment)
    is_path = parts.scheme in {"", "file"} and not parts.netloc and parts.path.startswith("/")
    if not (is_bucket or is_path) or ".." in PurePosixPath(parts.path).parts:
        raise ValueError(_SHAPE)
    return url.rstrip("/") or "/"


class ArchiveSettings(WarehouseSettings):
    """Where the events are kept, and how."""

    is_archive: ClassVar[bool] = True

    type: Literal["archive"] = "archive"
    url: Annotated[str, AfterValidator(_place)]
    """Where to: `"s3://BUCKET/PREFIX"`, `"gs://BUCKET/PREFIX"`, or an absolute path."""
    compression: Literal["gzip", "zstd"] = "gzip"
    """`"gzip"` or `"zstd"`."""
    partition: Literal["hour", "day"] = "hour"
    """What one file holds events of: an `"hour"` or a `"day"`, by the time of receipt, in UTC."""
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
    batch: ArchiveBatchSettings = ArchiveBatchSettings()
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

    @field_validator("consent")
    @classmethod
    def _no_category_is_asked(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value:
            raise ValueError("an archive keeps events as they were accepted; remove consent, or write []")
        return value

    @field_validator("rules", "fields", "consent_required", "transforms")
    @classmethod
    def _kept_as_accepted(cls, value: Any, field: ValidationInfo) -> Any:
        if field.field_name and value != cls.model_fields[field.field_name].default:
            raise ValueError(f"an archive keeps events as they were accepted; remove {field.field_name}")
        return value

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
