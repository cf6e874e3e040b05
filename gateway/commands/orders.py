"""`replay`, `resume`, `reload` and `destinations drop`: what changes the running daemon."""

import sys

import click

from gateway.commands.client import Client
from gateway.commands.connect import asks_daemon
from gateway.commands.render import printable
from gateway.model.words import counted

RESTART_NEEDED = 4
"""Exit code of a reload that did not put all into force."""


@click.command
@click.option("--destination", metavar="NAME", required=True)
@click.option("--from", "start", metavar="TIME", required=True, help='"2h ago", or 2026-05-01T08:00:00Z.')
@click.option("--to", "end", metavar="TIME", default="now", show_default=True)
@asks_daemon
def replay(client: Client, destination: str, start: str, end: str) -> None:
    """Deliver a stretch of time again.

    Beside what is delivered now, and with the same message ids.
    """
    answer = client.post("/api/replay", {"destination": destination, "from": start, "to": end})
    events = counted(answer["events"], "event", "events")
    click.echo(f"{answer['replay']} delivers {events} again; see `headwater status`")


@click.command
@click.argument("destination")
@asks_daemon
def resume(client: Client, destination: str) -> None:
    """Try DESTINATION again now.

    After its credentials or its address were put right.
    """
    client.post("/api/resume", {"destination": destination})
    click.echo(f"{destination} is tried again")


@click.command
@asks_daemon
def reload(client: Client) -> None:
    """Have the daemon read its configuration again.

    A file with faults is refused and changes nothing. Exits with 4 when changed settings take effect only after a
    restart, and names them.
    """
    waiting = client.post("/api/reload", {})["restart_needed"]
    click.echo("the configuration is read")
    if waiting:
        click.echo(printable(f"restart the daemon for what changed in {', '.join(waiting)}"), err=True)
        sys.exit(RESTART_NEEDED)


@click.group
def destinations() -> None:
    """Look after destinations that are no longer configured."""


@destinations.command("drop")
@click.argument("destination")
@click.option("--lose", is_flag=True, help="Also when events were never delivered to it.")
@asks_daemon
def drop_destination(client: Client, destination: str, *, lose: bool) -> None:
    """Forget DESTINATION, its cursor and its dead letters, so that it holds no events back."""
    answer = client.post("/api/destinations/drop", {"destination": destination, "lose": lose})
    lost = counted(answer["lost"], "event was", "events were")
    click.echo(f"{destination} is forgotten; {lost} never delivered to it")
