"""Queries with one row for each value of a key, by aggregates or, where they cannot pick in an order, by windows."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gateway.warehouses.servers.dialect import Dialect, Pick


class Grouping(NamedTuple):
    """What is asked. Names are in square brackets, but in `name` and the keys of the two mappings."""

    key: str
    name: str
    """Of the key's column, which is the first."""
    source: str
    """What follows `from`."""
    calls: Mapping[str, str]
    """Columns, each a call of one aggregate."""
    picks: Mapping[str, Pick]
    """Columns after those."""


def grouped(dialect: Dialect, asked: Grouping) -> str:
    """The query."""
    return _by_windows(dialect, asked) if dialect.picks_by_window else _by_aggregates(dialect, asked)


def _by_aggregates(dialect: Dialect, asked: Grouping) -> str:
    picks = {name: dialect.pick(each) for name, each in asked.picks.items()}
    listed = _listed({asked.name: asked.key, **asked.calls, **picks})
    return f"select {listed} from {asked.source} group by {asked.key}"


def _by_windows(dialect: Dialect, asked: Grouping) -> str:
    """Every row of a group has the same; one is kept. No column of ours ends with an underscore."""
    window = f"over (partition by {asked.key})"
    calls = {name: f"{call} {window}" for name, call in asked.calls.items()}
    picks = {name: dialect.pick(each._replace(group=asked.key)) for name, each in asked.picks.items()}
    columns = {asked.name: asked.key} | calls | picks
    number = f"row_number() over (partition by {asked.key} order by {asked.key})"
    return f"""
        select {_names(columns)} from (
            select {_listed(columns)}, {number} as row_ from {asked.source}) grouped
        where row_ = 1"""


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{value} as [{name}]" for name, value in columns.items())


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"[{name}]" for name in names)
