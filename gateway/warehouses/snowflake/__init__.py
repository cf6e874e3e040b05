"""Snowflake, by PUT and COPY INTO: the dialect, the session, and the settings."""

from gateway.warehouses.snowflake.settings import SnowflakeSettings
from gateway.warehouses.snowflake.warehouse import SNOWFLAKE

__all__ = ["SNOWFLAKE", "SnowflakeSettings"]
