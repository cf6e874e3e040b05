"""A connection to BigQuery.

What a transaction changes is collected, and becomes one script at its end: a transaction that was open between requests
would stay open for hours when its gateway is killed. What it reads, it reads before. That nobody has stored anything in
between, the script sees by the number in `_headwater_lock`, which every load counts up; two scripts that run at once
would both change it, so BigQuery ends one of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.bigquery.api import MISSING, Api, RefusedError
from gateway.warehouses.bigquery.dialect import DIALECT
from gateway.warehouses.bigquery.jobs import Jobs, timed_out
from gateway.warehouses.bigquery.staging import PREFIX, Staging
from gateway.warehouses.bigquery.turns import LOCK, MAKE_LOCK, OVERTAKEN, Turns
from gateway.warehouses.contract import Table
from gateway.warehouses.servers.ddl import IDS
from gateway.warehouses.servers.session import Groundwork, Row, Stored
from gateway.warehouses.values import ColumnType

MOST_FILLED = 80
"""A transaction changes a hundred tables at most, the loader's own among them."""
LONGEST_SCRIPT_BYTES = 1_000_000
_CONFLICT = "due to concurrent update"

_INTEGER, _TEXT, _JSON = (DIALECT.types[kind] for kind in (ColumnType.INTEGER, ColumnType.TEXT, ColumnType.JSON))
_HASHES = dict.fromkeys(("position", "high", "low"), _INTEGER)
_KNOWN = DIALECT.sql(f"select c.[position] from %s c join [{IDS}] i on i.[high] = c.[high] and i.[low] = c.[low]")
_CLAIM = DIALECT.sql(f"insert into [{IDS}] ([high], [low]) select c.[high], c.[low] from %s c")
_NOT_KNOWN = DIALECT.sql(f"""
    where not exists (select 1 from [{IDS}] i where i.[high] = c.[high] and i.[low] = c.[low])""")
_STORED = """
    select table_name, column_name, data_type from {project}.{dataset}.INFORMATION_SCHEMA.COLUMNS
    where not starts_with(table_name, {staged}) order by table_name, ordinal_position"""
LONG_NUMBER = r"([:,[]\s*)(-?[0-9.]{16,}(?:[eE][-+]?[0-9]+)?|-?[0-9.]+[eE][-+]?[0-9]+)"
_AS_TEXTS = ", ".join(map(DIALECT.literal, (LONG_NUMBER, r'\1"\2"')))
"""Numbers that JSON may not hold exactly, and the texts that they become where it does not."""


class BigQuerySession:
    """A Session. Every statement but those of `ask` is trusted."""

    def __init__(self, api: Api, jobs: Jobs, staging: Staging) -> None:
        self._api = api
        self._settings = api.settings
        self._jobs = jobs
        self._staging = staging
        self._turn = Turns(jobs, api.pause)
        self._types: Stored = {}
        self._filled: set[str] = set()
        """Tables that get rows by the transaction."""
        self._script: list[str] | None = None
        """What the transaction changes."""
        self._turns: int | None = None
        """How often somebody has stored something that this transaction builds upon."""

    def fetch(self, sql: str) -> list[Row]:
        """See Session."""
        return self._jobs.run(sql).rows

    def execute(self, sql: str) -> int:
        """See Session."""
        if self._script is None:
            self._jobs.run(sql)
        else:
            self._script.append(sql)
        return 0

    def remove(self, sql: str) -> int:
        """See Session. At once: a transaction changes a hundred tables at most."""
        return self._jobs.count(sql)

    def append(self, table: str, columns: Sequence[str], rows: Path, token: str = "") -> None:  # noqa: ARG002 - for servers without transactions
        """See Session."""
        if not self._types.get(table, {}).keys() >= set(columns):
            self.stored()
        types = {name: self._types[table][name] for name in columns}
        self._filled.add(table)
        staged = self._staging.add(rows, {name: _TEXT if kind == _JSON else kind for name, kind in types.items()})
        values = ", ".join(_value(name, kind) for name, kind in types.items())
        self.execute(
            f"insert into {DIALECT.name(table)} ({DIALECT.names(columns)}) select {values} from {DIALECT.name(staged)}"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Session."""
        self._script, self._turns, self._filled = [], None, set()
        try:
            yield
            self._commit(self._script)
        finally:
            self._script = None
            self._staging.clear()

    def groundwork(self) -> Groundwork:
        """See Session. The dataset is the owner's to make."""
        return Groundwork(locks=[] if LOCK in self.stored() else [MAKE_LOCK])

    @property
    def entry(self) -> str:
        """See Session."""
        return f"set @@dataset_id = {DIALECT.literal(self._settings.dataset)}"

    @contextmanager
    def growing(self) -> Iterator[None]:
        """See Session. BigQuery has no lock for that."""
        for statement in self.groundwork().statements:
            self.execute(statement)
        yield

    def judge_alone(self) -> None:
        """See Session. What the transaction reads after this is true when it ends, or it fails."""
        if self._turns is None:
            self._turns = self._turn.begin()

    def stored(self) -> Stored:
        """See Session."""
        tables: Stored = {}
        project, dataset = (DIALECT.name(name) for name in (self._settings.project, self._settings.dataset))
        asked = _STORED.format(project=project, dataset=dataset, staged=DIALECT.literal(PREFIX))
        for table, column, kind in self._jobs.run(asked, is_bare=True).rows:
            tables.setdefault(table, {})[column] = kind
        self._types = tables
        return tables

    def check_rights(self) -> None:
        """See Session."""
        settings = self._settings
        try:
            self._api.get(f"datasets/{settings.dataset}")
        except RefusedError as error:
            if error.status != MISSING:
                raise
            raise WarehouseError(
                f"BigQuery: the dataset {settings.dataset} of the project {settings.project} is not there",
                hint=error.hint,
            ) from error
        self._jobs.statement_type(MAKE_LOCK)

    def claim(self, hashes: Path) -> set[int]:
        """See Session. A second lookup is made only where it changes something: it reads every id."""
        self.judge_alone()
        staged = DIALECT.name(self._staging.add(hashes, _HASHES))
        self._staging.finish()
        known = {position for (position,) in self.fetch(_KNOWN % staged)}
        self.execute(_CLAIM % staged + (_NOT_KNOWN if known else ""))
        return known

    def ask(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """See Session. BigQuery says itself what a statement does."""
        if not sql.strip():
            raise WarehouseError("a question is a statement")
        kind = self._jobs.statement_type(sql)
        if kind != "SELECT":
            raise WarehouseError(f"a question only reads, and this is {kind or 'none'}", hint="ask with one SELECT")
        try:
            answer = self._jobs.answer(self._jobs.start_query(sql), max_rows + 1, timeout_s)
        except TimeoutError as error:
            raise timed_out(timeout_s) from error
        return Table(answer.columns, answer.rows[:max_rows], truncated=len(answer.rows) > max_rows)

    def close(self) -> None:
        """See Session."""
        self._staging.close()
        self._api.close()

    def _commit(self, script: Sequence[str]) -> None:
        if not script:
            return
        guard = [] if self._turns is None else self._turn.script(self._turns)
        whole = ";\n".join(["begin transaction", *guard, *script, "commit transaction"])
        if len(self._filled) > MOST_FILLED or len(whole.encode()) > LONGEST_SCRIPT_BYTES:
            raise WarehouseRowError(
                f"these rows go to {len(self._filled)} tables, too many for one transaction of BigQuery"
            )
        self._staging.finish()
        try:
            self._jobs.run(whole)
        except RefusedError as error:
            self._turn.was_overtaken = OVERTAKEN in error.said or _CONFLICT in error.said
            if self._turn.was_overtaken:
                raise WarehouseError(f"BigQuery: {OVERTAKEN}", hint="it is tried again") from error
            raise
        self._turn.was_overtaken = False


def _value(name: str, kind: str) -> str:
    """What is staged in a column, as it is stored. What BigQuery does not take for JSON stays a text."""
    column = DIALECT.name(name)
    if kind != _JSON:
        return column
    mended = f"regexp_replace({column}, {_AS_TEXTS})"
    return f"coalesce(safe.parse_json({column}), safe.parse_json({mended}), to_json({column}))"
