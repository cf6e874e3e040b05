"""One load: the steps between `begin` and `commit`."""

from collections import Counter
from typing import NamedTuple

from gateway.warehouses.contract import Loaded
from gateway.warehouses.duckdb.catalogue import IDS, advance
from gateway.warehouses.duckdb.identity import FileIdentity
from gateway.warehouses.duckdb.rows import Receiving, Rows
from gateway.warehouses.schema import Schema, Shape
from gateway.warehouses.shaping import reading
from gateway.warehouses.shaping.staging import Staging


class FileState(NamedTuple):
    """What a load knows of the file, and adds to."""

    schema: Schema
    shapes: dict[int, Shape]
    """Where events go, for as long as `schema` is the same."""
    rows: Rows
    identity: FileIdentity


def load(staging: Staging, known: FileState, log_id: str, next_offset: int) -> Loaded:
    """Everything but the commit. The staging's connection is to the file, within a transaction."""
    identity = Counter[str]()
    rows = 0
    if staging.arrived:
        _store(staging, known, log_id)
        identity = known.identity.take(staging.connection)
        staging.connection.execute(f"insert into {IDS} select high, low from temp.hashes")
        rows = staging.number("select count(*) from temp.staged")
    advance(staging.connection, log_id, next_offset, staging.arrived)
    return Loaded(rows, staging.arrived - rows, staging.warnings, identity)


def _store(staging: Staging, known: FileState, log_id: str) -> None:
    schema = known.schema
    staging.stage(reading.stage(schema.context))
    present = staging.learn(schema, known.shapes)
    staging.tally(present)
    known.rows.grow(staging.connection, schema, known.identity)
    staging.stage(reading.stage(schema.context))
    staging.forget(staging.repeated | _stored_already(staging))
    staging.name_events(schema)
    repaired = staging.repair(schema, present)
    known.rows.append(staging, schema, Receiving(present, repaired), log_id)


def _stored_already(staging: Staging) -> set[int]:
    """Half of the hash is looked for first: see docs/decisions/warehouse-ids.md."""
    if not staging.positions(f"select position from temp.hashes semi join (select high from {IDS}) using (high)"):
        return set()
    return staging.positions(f"select position from temp.hashes semi join {IDS} using (high, low)")
