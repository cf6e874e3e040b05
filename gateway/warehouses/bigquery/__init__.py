"""BigQuery, by load jobs or write streams, and one transaction: the dialect, the session, and the settings."""

from gateway.warehouses.bigquery.settings import BigQuerySettings
from gateway.warehouses.bigquery.warehouse import BIGQUERY

__all__ = ["BIGQUERY", "BigQuerySettings"]
