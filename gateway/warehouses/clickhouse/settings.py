"""The settings of a ClickHouse warehouse."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from gateway.config.texts import like
from gateway.config.units import BaseUrl, Duration
from gateway.warehouses.servers.settings import ServerSettings

DatabaseName = Annotated[
    str, like(r"[A-Za-z_][A-Za-z0-9_]{0,62}", 'write letters, digits and _, at most 63, like "headwater"')
]


class ClickHouseSettings(ServerSettings):
    """One database of one server."""

    type: Literal["clickhouse"] = "clickhouse"
    url: BaseUrl = "http://localhost:8123"
    """Of the HTTP interface."""
    database: DatabaseName = "headwater"
    """Made when it is not there. It is the loader's own."""
    user: str = "default"
    """Who loads, and asks."""
    password: SecretStr | None = None
    """None where the server does not ask for one."""
    replicated: bool = False
    """Tables are made with the engines of the `Replicated` family, for a server whose database is not."""
    lease: Annotated[Duration, Field(ge=0.5)] = 10
    """How long another gateway waits for one that died while it was writing."""

    @property
    def engine_prefix(self) -> str:
        """In front of the engines of all tables."""
        return "Replicated" if self.replicated else ""
