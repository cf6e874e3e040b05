"""`forget` and `export-person`: what a person may ask of whoever runs the gateway."""

import time
from collections.abc import Iterator
from typing import Any

import click

from gateway.commands.client import Client
from gateway.commands.connect import asks_daemon
from gateway.commands.overview import as_json
from gateway.commands.render import indented, printable, table

PATIENCE_S = 600.0
POLL_S = 0.2
QUESTION = "Remove all that is held of {identifier}, for good, and store no more of them?"


@click.command
@click.argument("identifier", metavar="ID")
@click.option("-y", "--yes", "is_sure", is_flag=True, help="Do not ask.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Only count what would be removed.")
@as_json
@asks_daemon
def forget(client: Client, identifier: str, *, is_sure: bool, is_dry: bool, is_json: bool) -> None:
    """Forget a person: a user id, an anonymous id, an e-mail address, a person id.

    Waits until all is removed, and prints what was removed where. Interrupted, the daemon goes on by itself.
    """
    if is_dry:
        answer = client.post("/api/forget", {"id": identifier, "dry_run": True}, PATIENCE_S)
    else:
        if not is_sure:
            click.confirm(QUESTION.format(identifier=printable(identifier)), abort=True)
        answer = _until_done(client, client.post("/api/forget", {"id": identifier}))
    heading = "would be removed from" if is_dry else "removed from"
    click.echo(indented(answer) if is_json else _text(answer, heading))


@click.command("export-person")
@click.argument("identifier", metavar="ID")
@asks_daemon
def export_person(client: Client, identifier: str) -> None:
    """Print all that is held of a person, as JSON.

    From the warehouses, the queue, the letters and the refused events.
    """
    click.echo(indented(client.get("/api/person/export", PATIENCE_S, id=identifier)))


def _until_done(client: Client, order: dict[str, Any]) -> dict[str, Any]:
    """The order's report. Tells each step, and what it waits for."""
    told = ""
    while order["step"] != "done":
        state = f"{order['step']}: waits, {order['waiting']}" if order["waiting"] else order["step"]
        if state != told:
            click.echo(f"order {order['id']}: {printable(state)}", err=True)
            told = state
        time.sleep(POLL_S)
        (order,) = client.get("/api/forget", order=order["id"])["orders"]
    return order


def _text(answer: dict[str, Any], heading: str) -> str:
    return table((heading, "what", "how many"), list(_removed(answer["removed"])))


def _removed(removed: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    yield "queue", "events", removed["events"]
    yield "queue", "letters", removed["letters"]
    yield "queue", "refused events", removed["rejects"]
    if removed["damaged"]:
        yield "queue", "directories of damaged queues", removed["damaged"]
    for warehouse, tables in removed["warehouses"].items():
        yield from ((warehouse, name, rows) for name, rows in tables.items() if rows)
    if "suppressed" in removed:
        yield "intake", "identifiers suppressed", removed["suppressed"]
