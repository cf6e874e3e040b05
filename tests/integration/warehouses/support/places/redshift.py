"""Redshift: PostgreSQL in its place, as far as the two are the same, and a bucket of moto's; a schema for each test.

What differs is put in here: the type SUPER, two functions, what a backslash means, and COPY, which reads the file that
the session has put into the bucket and hands it to PostgreSQL's own.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import duckdb
import psycopg

from gateway.model.clock import Clock
from gateway.warehouses import Warehouse
from gateway.warehouses.names import literal, quoted
from gateway.warehouses.postgres.session import CLAIMED
from gateway.warehouses.redshift import REDSHIFT as KIND
from gateway.warehouses.redshift import RedshiftSettings
from gateway.warehouses.redshift.dialect import DIALECT
from gateway.warehouses.redshift.session import RedshiftSession
from gateway.warehouses.servers.session import Row
from gateway.warehouses.servers.warehouse import Server, open_server
from gateway.warehouses.shaping.expressions import SQL_TYPES
from tests.integration.warehouses.support.objects import CREDENTIALS, s3_server
from tests.integration.warehouses.support.places import postgres
from tests.integration.warehouses.support.places.place import NewSettings, PlaceKind, Settings

BUCKET = "shop-staging"
TYPES = {sql_type: SQL_TYPES[kind] for kind, sql_type in DIALECT.types.items()}
STAND_IN = """
    create schema {schema};
    create domain {schema}.super as jsonb;
    create function {schema}.datediff(part text, since timestamptz, moment timestamptz) returns bigint
        immutable language sql return (extract(epoch from moment - since) * 1000000)::bigint"""


class StandIn(RedshiftSession):
    """Redshift's session, at PostgreSQL."""

    def _copy_from(self, name: str, table: str, columns: Sequence[str]) -> None:
        stored = {"position": "bigint", "high": "bigint", "low": "bigint"} if table == CLAIMED else self.stored()[table]
        types = {column: TYPES[stored[column]] for column in columns}
        with tempfile.TemporaryDirectory() as folder:
            staged, rows = Path(folder) / name, Path(folder) / "rows.csv"
            staged.write_bytes(self._staged(name))
            query = (
                f"select {', '.join(map(quoted, columns))} from read_json({literal(str(staged))}, columns = {types})"
            )
            with duckdb.connect() as reader:
                reader.execute("set timezone = 'UTC'")
                reader.execute(f"copy ({query}) to {literal(str(rows))} (format csv, header false)")
            target = f"{quoted(table)} ({', '.join(map(quoted, columns))})"
            with (
                self._connected() as connection,
                connection.cursor() as cursor,
                cursor.copy(f"copy {target} from stdin with (format csv)".encode()) as copy,
            ):
                copy.write(rows.read_bytes())

    def _staged(self, name: str) -> bytes:
        store = boto3.client(
            "s3",
            endpoint_url=self._staging.endpoint,
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS["access_key_id"],
            aws_secret_access_key=CREDENTIALS["secret_access_key"],
        )
        place = urlsplit(self._staging.staging)
        found = store.get_object(Bucket=place.netloc, Key=f"{place.path.strip('/')}/{name}")
        return bytes(found["Body"].read())

    def _connect(self) -> psycopg.Connection[Row]:
        connection = super()._connect()
        connection.execute("set standard_conforming_strings = off")
        connection.execute("set escape_string_warning = off")
        connection.execute("set client_min_messages = warning")
        return connection


def open_stand_in(settings: RedshiftSettings, clock: Clock) -> AbstractAsyncContextManager[Warehouse]:
    return open_server(settings, clock, Server(DIALECT, StandIn))


@contextmanager
def serve() -> Iterator[NewSettings]:
    """A server and a bucket that are gone at the end."""
    with postgres.serve() as new, s3_server() as address:
        store = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS["access_key_id"],
            aws_secret_access_key=CREDENTIALS["secret_access_key"],
        )
        store.create_bucket(Bucket=BUCKET)
        numbers = count()

        def settings(folder: Path) -> Settings:
            server = dict(new(folder)) | {"schema": f"redshift_{next(numbers)}", "port": 5432, "sslmode": "disable"}
            with psycopg.connect(
                host=str(server["host"]), dbname=str(server["database"]), user=str(server["user"]), autocommit=True
            ) as connection:
                connection.execute(STAND_IN.format(schema=server["schema"]).encode())
            staging = {"staging": f"s3://{BUCKET}/{server['schema']}", "endpoint": address, "region": "us-east-1"}
            return server | staging | CREDENTIALS

        yield settings


REDSHIFT = PlaceKind(
    kind=replace(KIND, open=open_stand_in),
    serve=serve,
    columns="""
        select column_name, coalesce(domain_name, data_type) from information_schema.columns
        where table_schema = current_schema() and table_name = '{table}'""",
    types={sql_type.partition("(")[0]: kind for kind, sql_type in DIALECT.types.items()},
    quoted=DIALECT.name,
    is_slow=True,
    can_widen=False,
    examples=10,
    kills=10,
)
