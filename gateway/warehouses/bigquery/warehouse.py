"""BigQuery as a kind of warehouse."""

from gateway.warehouses.bigquery.dialect import dialect_of
from gateway.warehouses.bigquery.settings import BigQuerySettings
from gateway.warehouses.servers.kind import missing_driver, server_kind
from gateway.warehouses.servers.session import Session


def connect(settings: BigQuerySettings) -> Session:
    """See server_kind."""
    try:
        from gateway.warehouses.bigquery.opening import open_session  # noqa: PLC0415 - its drivers are an extra of the package

        return open_session(settings)
    except ModuleNotFoundError as error:
        raise missing_driver(error, "bigquery") from error


BIGQUERY = server_kind(BigQuerySettings, connect, dialect_of)
