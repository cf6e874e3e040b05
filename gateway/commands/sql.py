"""`sql`: ask the warehouse through the daemon, which holds it."""

import json
from collections.abc import Sequence
from typing import Any

import click

from gateway.commands.client import Client
from gateway.commands.connect import asks_daemon
from gateway.commands.render import comma_separated, table
from gateway.model.words import counted

PATIENCE_S = 15
"""Beyond the query's own limit, so that the daemon is the one that says it took too long."""


@click.command
@click.argument("statement")
@click.option("--destination", metavar="NAME", help="The warehouse; needed when there is more than one.")
@click.option(
    "-f", "--format", "output", type=click.Choice(["table", "csv", "json", "jsonl"]), default="table", show_default=True
)
@click.option("--max-rows", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@click.option("--timeout", "timeout_s", type=click.IntRange(1, 600), default=30, show_default=True, help="In seconds.")
@asks_daemon
def sql(client: Client, statement: str, destination: str | None, output: str, max_rows: int, timeout_s: int) -> None:
    """Ask the warehouse in SQL.

    One read-only statement, beside the loads.
    """
    fields = {"sql": statement, "destination": destination, "max_rows": max_rows, "timeout_s": timeout_s}
    answer = client.post("/api/sql", fields, timeout_s + PATIENCE_S)
    text = _formatted(output, answer["columns"], answer["rows"])
    if text:
        click.echo(text)
    if answer["truncated"]:
        click.echo(f"There are more than {counted(max_rows, 'row', 'rows')}; --max-rows shows more of them.", err=True)


def _formatted(output: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if output == "table":
        return table(columns, rows)
    if output == "csv":
        return comma_separated(columns, rows)
    objects = [json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) for row in rows]
    if output == "jsonl":
        return "\n".join(objects)
    return "[" + ",\n ".join(objects) + "]"
