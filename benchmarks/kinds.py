"""The warehouses that are measured: what runs each, and how dlt is told to load into the same."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import rig

from tests.integration.warehouses.support.places import clickhouse, postgres
from tests.integration.warehouses.support.places.duckdb import DUCKDB
from tests.integration.warehouses.support.places.parquet import PARQUET
from tests.integration.warehouses.support.places.place import NewSettings, PlaceKind, Settings


@dataclass(frozen=True)
class Peer:
    """How dlt is told to load into a place."""

    destination: str
    file_format: str
    credentials: Callable[[Settings, Path], str]


@dataclass(frozen=True)
class Kind:
    """One warehouse."""

    place: PlaceKind
    serve: Callable[[], AbstractContextManager[NewSettings]]
    peer: Peer | None
    """None where dlt cannot load into the same."""
    server: Callable[[Settings], int] | None = None
    """The process that all of the server's come from; None where there is no server."""

    def server_cpu_s(self, settings: Settings) -> float:
        """The processor's time that the server has used so far, in seconds."""
        return rig.family_cpu_s(self.server(settings)) if self.server else 0.0


def _running(program: Path) -> int:
    """The process that runs this program."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):  # it has ended meanwhile
            if entry.name.isdigit() and str(program).encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                return int(entry.name)
    raise ProcessLookupError(program)


_KINDS = (
    Kind(DUCKDB, DUCKDB.serve, Peer("duckdb", "parquet", lambda _, folder: str(folder / "dlt.duckdb"))),
    Kind(
        postgres.POSTGRES,
        partial(postgres.serve, postgres.ALONE),
        Peer("postgres", "csv", lambda to, _: f"postgresql://{to['user']}:any@any/{to['database']}?host={to['host']}"),
        postgres.server,
    ),
    Kind(clickhouse.CLICKHOUSE, clickhouse.serve, None, lambda _: _running(clickhouse.SERVER)),
    Kind(PARQUET, PARQUET.serve, Peer("filesystem", "parquet", lambda _, folder: str(folder / "dlt"))),
)
KINDS = {kind.place.name: kind for kind in _KINDS}
"""By the `type` of a configuration. One more warehouse is one more entry above."""
