"""What differs between servers, as data: names, types, statements and functions of their SQL."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple

from gateway.warehouses.values import Capacity, ColumnType

_NAME = r"\[([a-z_][a-z0-9_]*)\]"
_NAME_OR_TEXT = re.compile(rf"'(?:[^']|'')*'|{_NAME}")
_ESCAPED = str.maketrans({"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r"})
_NAME_OR_ESCAPED_TEXT = re.compile(rf"'(?:[^'\\]|\\.)*'|{_NAME}", re.DOTALL)


class BulkFormat(Enum):
    """The file in which rows are handed over. DuckDB writes them."""

    PARQUET = "format parquet, compression zstd"
    JSON = "format json, compression gzip"
    """One object on each line."""


Role = Literal["events", "ids", "cursors", "graph", "journal"]


class NewTable(NamedTuple):
    """A table to be made. `columns` are names and types of the server."""

    name: str
    role: Role
    columns: Mapping[str, str]
    required: frozenset[str]
    """Columns that are never null."""
    searched: Sequence[str]
    """Columns by which rows are found."""


class Pick(NamedTuple):
    """An aggregate: `value` of the row that comes first, or last, by `keys`, among those for which `where` holds and
    `value` is not null."""

    value: str
    keys: Sequence[str]
    is_latest: bool
    where: str = "true"
    group: str = ""
    """What the rows of one group have in common, for those dialects where this is a window function."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One server's SQL."""

    types: Mapping[ColumnType, str]
    """As they are written, and as the catalogue tells them."""
    bulk: BulkFormat | None
    """None where rows are handed over in no file."""
    is_transactional: bool
    """Rows, ids, graph and cursor are stored together or not at all. Otherwise a load that broke off is found by its
    intent, and goes on with the rows that are missing."""
    capacity: Capacity
    create: Callable[[NewTable], Iterable[str]]
    """The statements that make a table where there is none."""
    add_column: str
    """What follows the table: `{column}`, `{type}`; where the column is there already, it changes nothing."""
    widen_column: str
    """`{table}`, `{column}`, `{type}`; empty where that is impossible."""
    create_view: str
    """`{view}`, `{query}`; takes the place of an earlier one, unless `drops_views`."""
    moment_of: str
    """`{us}`, microseconds since the epoch, as a moment."""
    us_of: str
    """`{moment}` as microseconds since the epoch."""
    md5: str
    """`{text}` hashed, 32 hexadecimal digits in lower case."""
    trim: str
    """`{text}` without the characters of the literal `{characters}` at both ends."""
    contains: str
    """Whether `{text}` contains the literal `{part}`."""
    text_of: str
    """`{value}` as a text."""
    pick: Callable[[Pick], str]
    picks_by_window: bool = False
    """`pick` is no aggregate but a window function, over the rows of its group."""
    text_of_json: str = ""
    """The same of JSON, where it is another."""
    adds_columns_at_once: bool = False
    """One statement may add several."""
    drops_views: bool = False
    """Views get no new columns: they are dropped before they are made."""
    truth_of: str = "{condition}"
    """A condition as a value of a column."""
    lower: str = "lower({text})"
    length: str = "length({text})"
    """How many characters."""
    hashes_go_by_table: bool = False
    """Many of them, for they would make the statement too long."""
    json_goes_as_text: bool = False
    """In the file, though not in the column."""
    null_json: str = "cast(null as {type})"
    """No value, of the type of columns with JSON, `{type}`."""
    graph: str = "{table} {alias}"
    """How one of the graph's tables is read in a view, whoever asks."""
    place: str = ""
    """What stands in front of tables and views within a view, if that needs more than their names."""
    escapes: bool = False
    """A backslash in a text means something; so does it in front of a quote, which is doubled otherwise."""
    mark: str = '"'
    """Around names."""
    is_upper_case: bool = False
    """Names that are written without marks are upper case; so those in marks are made so too."""

    def name(self, name: str) -> str:
        """A name, such that it is the same as without marks where that is allowed."""
        folded = name.upper() if self.is_upper_case else name
        return f"{self.mark}{folded.replace(self.mark, self.mark * 2)}{self.mark}"

    def sql(self, text: str) -> str:
        """A statement whose names are written in square brackets, as the server takes it."""
        pattern = _NAME_OR_ESCAPED_TEXT if self.escapes else _NAME_OR_TEXT
        return pattern.sub(lambda found: self.name(found[1]) if found[1] else found[0], text)

    def literal(self, text: str) -> str:
        """A text in a statement."""
        if self.escapes:
            return f"'{text.translate(_ESCAPED)}'"
        return "'" + text.replace("'", "''") + "'"

    def names(self, names: Sequence[str]) -> str:
        """Several, with commas."""
        return ", ".join(map(self.name, names))

    def literals(self, texts: Iterable[str]) -> str:
        """Several texts with commas; one that is nobody's where there is none."""
        return ", ".join(map(self.literal, texts)) or "null"
