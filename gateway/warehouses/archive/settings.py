"""The settings of an archive."""

from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from gateway.config import BatchSettings
from gateway.config.units import Duration, Size
from gateway.warehouses.objects import ObjectSettings


class ArchiveBatchSettings(BatchSettings):
    """One load, which becomes one object for each source and hour in it."""

    max_events: int = Field(default=20_000, ge=1)
    """Events of one load, which becomes one file for each source and hour in it."""
    max_bytes: Size = 16 * 2**20
    """Bytes of one load, before compression."""
    max_wait: Duration = 300
    """How old an event may get before it is there."""


class ArchiveSettings(ObjectSettings):
    """Where the events are kept, and how."""

    is_archive: ClassVar[bool] = True

    type: Literal["archive"] = "archive"
    compression: Literal["gzip", "zstd"] = "gzip"
    """`"gzip"` or `"zstd"`."""
    partition: Literal["hour", "day"] = "hour"
    """What one file holds events of: an `"hour"` or a `"day"`, by the time of receipt, in UTC."""
    batch: ArchiveBatchSettings = ArchiveBatchSettings()

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
