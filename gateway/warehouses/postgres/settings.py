"""The settings of a PostgreSQL warehouse."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from gateway.config.texts import like
from gateway.warehouses.servers.settings import ServerSettings

SchemaName = Annotated[
    str, like(r"[a-z_][a-z0-9_]{0,62}", 'write lower-case letters, digits and _, at most 63, like "headwater"')
]


class PostgresSettings(ServerSettings):
    """One schema of one database."""

    type: Literal["postgres"] = "postgres"
    host: str = "localhost"
    """A name, an address, or the folder of a Unix socket."""
    port: int = Field(default=5432, ge=1, le=65_535)
    """Where the server listens."""
    database: str
    """The database that has the schema."""
    user: str
    """The role that owns the schema."""
    password: SecretStr | None = None
    """None where the server does not ask for one."""
    schema_name: SchemaName = Field(default="headwater", alias="schema")
    """Made when it is not there. It is the loader's own."""
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    """As libpq says it."""
    ssl_root_certificate: Path | None = None
    """Who vouches for the server, for `verify-ca` and `verify-full`."""
