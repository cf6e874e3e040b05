"""`tail`, `send`, `trace` and `rejects`: single events, on their way and afterwards."""

import json
import sys
from typing import Any, BinaryIO

import click

from gateway.commands.client import Client, quoted
from gateway.commands.connect import asks_daemon
from gateway.commands.overview import as_json
from gateway.commands.render import cell, indented, printable, table
from gateway.model.words import counted


@click.command
@click.option("--type", "kind", help="Only track, page, screen, identify, group or alias.")
@click.option("--event", help="Only the events, pages or screens of this name.")
@click.option("--source", help="Only from this source.")
@click.option("--user", help="Only of this userId or anonymousId.")
@click.option("-n", "--limit", type=click.IntRange(min=1), help="Stop after so many.")
@as_json
@asks_daemon
def tail(client: Client, kind: str, event: str, source: str, user: str, limit: int, *, is_json: bool) -> None:  # noqa: PLR0913 - one for each option
    """Watch events as they are stored.

    With --json, one JSON object a line.
    """
    try:
        for line in client.lines("/api/tail", type=kind, event=event, source=source, user=user, limit=limit):
            click.echo(line.decode().rstrip("\n") if is_json else _tail_line(json.loads(line)))
    except KeyboardInterrupt:
        return


@click.command
@click.argument("event", type=click.File("rb"), default="-")
@click.option("--source", help="The source that it comes from; else the first of the configuration.")
@asks_daemon
def send(client: Client, event: BinaryIO, source: str | None) -> None:
    """Send one event by hand.

    EVENT is a file that holds its JSON; without it, standard input. Prints the message id once the event is on disk.
    """
    click.echo(printable(client.send("/api/send", event.read(), source=source)["message_id"]))


@click.command
@click.argument("message_id")
@as_json
@asks_daemon
def trace(client: Client, message_id: str, *, is_json: bool) -> None:
    """Tell one event's whole life. Exits with 1 when nothing is known of it."""
    answer = client.get(f"/api/trace/{quoted(message_id)}")
    click.echo(indented(answer) if is_json else _trace_text(answer))
    if answer["note"]:
        sys.exit(1)


@click.command
@click.option("--since", metavar="TIME", help='Not older than this: "2h ago" or 2026-05-01T08:00:00Z.')
@click.option("-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True)
@as_json
@asks_daemon
def rejects(client: Client, since: str | None, limit: int, *, is_json: bool) -> None:
    """Show what was refused, and why.

    The last 24 hours, newest first.
    """
    rejected = client.get("/api/rejects", since=since, limit=limit)["rejected"]
    click.echo(indented(rejected) if is_json else _rejects_text(rejected))


def _tail_line(line: dict[str, Any]) -> str:
    if "skipped" in line:
        return f"... {line['skipped']} more"
    event = line["event"]
    name = event.get("event") or event.get("name") or ""
    who = event.get("userId") or event.get("anonymousId") or ""
    what = event.get("properties") or event.get("traits") or {}
    return "  ".join((line["received_at"], line["source"], event["type"], cell(name), cell(who), cell(what)))


def _trace_text(answer: dict[str, Any]) -> str:
    parts = [_life(event) for event in answer["events"]]
    if answer["rejected"]:
        parts.append("refused:\n" + _rejects_text(answer["rejected"]))
    return "\n\n".join(parts) or answer["note"]


def _life(event: dict[str, Any]) -> str:
    fates = [(each["destination"], each["state"], _detail(each)) for each in event["destinations"]]
    head = f"received {event['received_at']} from {event['source']}, offset {event['offset']}"
    return "\n".join((head, indented(event["event"]), table(("destination", "state", "detail"), fates)))


def _detail(fate: dict[str, Any]) -> str:
    words = [fate.get("detail"), fate.get("reason"), fate.get("error")]
    if fate.get("next_attempt_at"):
        words.append(f"tried {counted(fate['attempts'], 'time', 'times')}, next at {fate['next_attempt_at']}")
    return "; ".join(filter(None, words))


def _rejects_text(rejected: list[dict[str, Any]]) -> str:
    columns = ("at", "source", "reason", "ip", "body")
    return table(columns, [[*(each[key] for key in columns[:-1]), each["body"][:80]] for each in rejected])
