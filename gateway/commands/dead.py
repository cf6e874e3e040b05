"""`dead`: the events that a destination will not take."""

from collections.abc import Callable

import click

from gateway.commands.client import Client
from gateway.commands.connect import asks_daemon
from gateway.commands.overview import as_json
from gateway.commands.render import indented, table
from gateway.model.words import counted

COLUMNS = ("id", "destination", "reason", "attempts", "message_id", "received_at", "error")


@click.group
def dead() -> None:
    """List, show, retry and drop dead letters."""


@dead.command("list")
@click.option("--destination", metavar="NAME")
@click.option("--retrying", is_flag=True, help="Show those that are being tried again on their own instead.")
@click.option("--after", type=int, help="Only ids above this one.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=100, show_default=True)
@as_json
@asks_daemon
def list_letters(
    client: Client, destination: str | None, after: int | None, limit: int, *, retrying: bool, is_json: bool
) -> None:
    """List dead letters, oldest first."""
    state = "retry" if retrying else "dead"
    letters = client.get("/api/dead", destination=destination, state=state, after=after, limit=limit)["letters"]
    click.echo(indented(letters) if is_json else table(COLUMNS, [[each[key] for key in COLUMNS] for each in letters]))


@dead.command("show")
@click.argument("letter_id", metavar="ID", type=int)
@asks_daemon
def show_letter(client: Client, letter_id: int) -> None:
    """Show one letter with its event, as JSON."""
    click.echo(indented(client.get(f"/api/dead/{letter_id}")))


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    """Which letters an order is about: ids, or --all of a destination."""
    for option in (
        click.argument("ids", metavar="[ID]...", type=int, nargs=-1),
        click.argument("destination"),
        click.option("--all", "is_all", is_flag=True, help="All dead letters of the destination."),
    ):
        command = option(command)
    return command


@dead.command("retry")
@_chosen
@asks_daemon
def retry_letters(client: Client, destination: str, ids: tuple[int, ...], *, is_all: bool) -> None:
    """Try dead letters of DESTINATION again."""
    answer = client.post("/api/dead/retry", _choice(destination, ids, is_all=is_all))
    click.echo(f"{counted(answer['retried'], 'letter is', 'letters are')} tried again")


@dead.command("drop")
@_chosen
@click.confirmation_option("-y", "--yes", prompt="Forget these events for good?", help="Do not ask.")
@asks_daemon
def drop_letters(client: Client, destination: str, ids: tuple[int, ...], *, is_all: bool) -> None:
    """Forget dead letters of DESTINATION. The ledger goes on counting them as dead."""
    answer = client.post("/api/dead/drop", _choice(destination, ids, is_all=is_all))
    click.echo(f"{counted(answer['dropped'], 'letter is', 'letters are')} gone")


def _choice(destination: str, ids: tuple[int, ...], *, is_all: bool) -> dict[str, object]:
    if bool(ids) == is_all:
        raise click.UsageError("name the letters by their ids, or all of them by --all")
    return {"destination": destination, "all": True} if is_all else {"destination": destination, "ids": list(ids)}
