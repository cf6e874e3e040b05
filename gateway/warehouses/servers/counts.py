"""What a server holds, counted by itself."""

from gateway.warehouses.contract import Counts
from gateway.warehouses.counting import counted
from gateway.warehouses.names import TABLES_OF_TYPE
from gateway.warehouses.servers import cursors
from gateway.warehouses.servers.ddl import IDS
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.journal import VERSION
from gateway.warehouses.servers.session import Session


def counts(session: Session, dialect: Dialect) -> Counts:
    """Everything, row by row: a server with much may take minutes."""
    handed = dict(cursors.all_handed(session, dialect))
    handed.pop(VERSION, None)
    rows = {name: _number(session, dialect.name(name)) for name in TABLES_OF_TYPE.values()}
    return counted(handed, _number(session, _ids(dialect)), rows)


def _ids(dialect: Dialect) -> str:
    """Where nothing is stored at once, what a load that broke off has stored of them is there twice."""
    if dialect.is_transactional:
        return dialect.name(IDS)
    return f"(select distinct {dialect.names(('high', 'low'))} from {dialect.name(IDS)}) as ids"


def _number(session: Session, source: str) -> int:
    return int(session.fetch(f"select count(*) from {source}")[0][0])
