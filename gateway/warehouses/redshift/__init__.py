"""Amazon Redshift, by COPY from S3: the dialect, the session, and the settings."""

from gateway.warehouses.redshift.settings import RedshiftSettings
from gateway.warehouses.redshift.warehouse import REDSHIFT

__all__ = ["REDSHIFT", "RedshiftSettings"]
