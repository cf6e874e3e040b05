"""The settings of a Redshift warehouse."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from gateway.config.texts import like
from gateway.config.units import BaseUrl, Duration
from gateway.warehouses.objects import ObjectSettings
from gateway.warehouses.postgres.settings import WireSettings
from gateway.warehouses.settings import LoadSettings

Staging = Annotated[str, like(r"s3://[^/?#@]+(/[^?#]*)?", 'write a bucket and a prefix, like "s3://BUCKET/staging"')]
Role = Annotated[str, like(r"(arn:[^']+)|default", "write the role's ARN, or \"default\" for the cluster's own")]


class RedshiftLoadSettings(LoadSettings):
    """A cluster that is paid for by use is paid for a minute at least, and commits wait for each other."""

    max_wait: Duration = 300
    """How old a row may get before it is there."""


class RedshiftSettings(WireSettings):
    """A cluster or a workgroup, and the bucket through which rows get there."""

    type: Literal["redshift"] = "redshift"
    port: int = Field(default=5439, ge=1, le=65_535)
    """Where the server listens."""
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "require"
    """As libpq says it."""
    staging: Staging
    """Where the files of a load are while it runs: `"s3://BUCKET/PREFIX"`."""
    iam_role: Role = "default"
    """The role as which Redshift reads them: its ARN, or `"default"`."""
    region: str = ""
    """Region of the bucket; empty: from the environment, and for Redshift its own."""
    access_key_id: str = ""
    """Key id with which the gateway writes there; empty: from the environment, or the machine's role."""
    secret_access_key: SecretStr | None = None
    """The secret that belongs to it."""
    endpoint: BaseUrl | None = None
    """Address of the store, if it is not Amazon's own."""
    batch: RedshiftLoadSettings = RedshiftLoadSettings()

    @property
    def objects(self) -> ObjectSettings:
        """How the staging is reached."""
        return ObjectSettings(
            type=self.type,
            url=self.staging,
            endpoint=self.endpoint,
            region=self.region,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
            timeout=self.timeout,
        )

    @model_validator(mode="after")
    def _credentials_fit(self) -> Self:
        if bool(self.access_key_id) != (self.secret_access_key is not None):
            raise ValueError("access_key_id and secret_access_key belong together; set both, or neither")
        return self
