"""`warehouse`: its tables before there is a daemon, and whether they hold what the ledger says."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from gateway.commands.client import Client, RefusedError, quoted
from gateway.commands.connect import asks_daemon, configured
from gateway.commands.overview import as_json
from gateway.commands.render import indented, printable, table
from gateway.model.errors import HeadwaterError
from gateway.model.words import counted

PATIENCE_S = 3600.0
"""A warehouse with much counts for minutes."""
NEEDS_NONE = "-- {name} is kept in files, which are made when it is opened first: there are no statements to run."
NOTHING_LACKS = "-- Nothing is lacking."


@click.group
def warehouse() -> None:
    """Plan, make and verify the tables of a warehouse."""


@warehouse.command
@click.argument("destination")
@configured
def plan(destination: str, config: Path) -> None:
    """Print the SQL that DESTINATION needs and that `init`, or the daemon, would run.

    Checks the rights first. Needs no daemon, makes and changes nothing.
    """
    from gateway.tables import planned  # noqa: PLC0415 - brings in every room

    _show(destination, _done(lambda: asyncio.run(planned(config, os.environ, destination))))


@warehouse.command
@click.argument("destination")
@configured
def init(destination: str, config: Path) -> None:
    """Make the tables that DESTINATION lacks, and print the SQL for it.

    Needs no daemon, which would do the same when it starts. What is there stays as it is.
    """
    from gateway.tables import made  # noqa: PLC0415 - brings in every room

    _show(destination, _done(lambda: asyncio.run(made(config, os.environ, destination))))
    click.echo(f"-- {printable(destination)} is ready.")


@warehouse.command
@click.argument("destination")
@as_json
@asks_daemon
def verify(client: Client, destination: str, *, is_json: bool) -> None:
    """Compare what DESTINATION holds with the ledger.

    Loads wait meanwhile. Exits with 1 when anything is missing.
    """
    answer = client.get(f"/api/warehouse/verify/{quoted(destination)}", PATIENCE_S)
    click.echo(indented(answer) if is_json else _text(answer))
    if not answer["adds_up"]:
        sys.exit(1)


def _done(work: Callable[[], list[str] | None]) -> list[str] | None:
    try:
        return work()
    except HeadwaterError as error:
        raise RefusedError(error.message, error.hint) from error


def _show(destination: str, statements: Sequence[str] | None) -> None:
    if statements is None:
        click.echo(NEEDS_NONE.format(name=printable(destination)))
    elif not statements:
        click.echo(NOTHING_LACKS)
    for statement in statements or ():
        click.echo(f"{statement.strip()};\n")


def _text(answer: dict[str, Any]) -> str:
    columns = ("log", "delivered by the ledger", "handed over", "ledger at", "warehouse at", "check")
    keys = ("cursor", "delivered", "handed_over", "ledger_offset", "warehouse_offset")
    rows = [[*(each[key] for key in keys), each["fault"] or "ok"] for each in answer["logs"]]
    return "\n\n".join((table(columns, rows), _rows(answer)))


def _rows(answer: dict[str, Any]) -> str:
    stored, by_table = counted(answer["ids"], "event was", "events were"), answer["rows"]
    if by_table is None:
        return f"{stored} stored; their rows are in files that are not read here"
    forgotten = answer["forgotten"]
    rows = [[name, number, ""] for name, number in by_table.items()]
    rows += [["forgotten", forgotten, ""]] if forgotten else []
    rows += [["stored in all", answer["ids"], answer["fault"] or "ok"]]
    return table(("table", "rows", "check"), rows)
