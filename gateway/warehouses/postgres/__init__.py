"""PostgreSQL 13 and later, by COPY: the dialect, the session, and the settings."""

from gateway.warehouses.postgres.settings import PostgresSettings
from gateway.warehouses.postgres.warehouse import POSTGRES

__all__ = ["POSTGRES", "PostgresSettings"]
