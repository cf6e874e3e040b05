"""The settings of a Snowflake warehouse."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from gateway.config.units import BaseUrl, Duration
from gateway.warehouses.servers.settings import ServerSettings
from gateway.warehouses.settings import LoadSettings

SchemaName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]


class SnowflakeLoadSettings(LoadSettings):
    """A virtual warehouse that wakes up is paid for a minute at least: loads are rare."""

    max_wait: Duration = 300
    """How old a row may get before it is there."""


class SnowflakeSettings(ServerSettings):
    """One schema of one database."""

    type: Literal["snowflake"] = "snowflake"
    account: str
    """As Snowflake writes it: `ORGANIZATION-ACCOUNT`."""
    user: str
    """A service user (`type = service`)."""
    private_key_file: Path
    """The user's private key, in PEM."""
    private_key_passphrase: SecretStr | None = None
    """Of a key that is encrypted."""
    role: str = ""
    """The user's default role when unset."""
    warehouse: str
    """The virtual warehouse that runs the statements."""
    database: str
    """The database that has the schema."""
    schema_name: SchemaName = Field(default="headwater", alias="schema")
    """Made when it is not there. It is the loader's own."""
    endpoint: BaseUrl | None = None
    """Where the account is reached, if not at `ACCOUNT.snowflakecomputing.com`: through a private link."""
    batch: SnowflakeLoadSettings = SnowflakeLoadSettings()
