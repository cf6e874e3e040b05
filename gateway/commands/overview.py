"""`status` and `ledger`: how it goes, and whether all events are accounted for."""

import sys
from typing import Any

import click

from gateway.commands.client import Client
from gateway.commands.connect import asks_daemon
from gateway.commands.render import duration, indented, printable, size, table
from gateway.model.words import counted

as_json = click.option("--json", "is_json", is_flag=True, help="Print the daemon's whole answer as JSON.")


@click.command
@as_json
@asks_daemon
def status(client: Client, *, is_json: bool) -> None:
    """Show the queue, the destinations and the sources."""
    answer = client.get("/api/status")
    click.echo(indented(answer) if is_json else _status_text(answer))


@click.command
@as_json
@asks_daemon
def ledger(client: Client, *, is_json: bool) -> None:
    """Check that every event is accounted for.

    For each destination, accepted = delivered + pending + dead + filtered. Exits with 1 when that does not hold.
    """
    answer = client.get("/api/ledger")
    click.echo(indented(answer) if is_json else _ledger_text(answer))
    if not answer["adds_up"]:
        sys.exit(1)


def _status_text(answer: dict[str, Any]) -> str:
    queue = answer["queue"]
    reasons = "; ".join(printable(f"{name}: {reason}") for name, reason in answer["not_ready"].items())
    to_full = f", full in {duration(queue['hours_to_full'] * 3600)}" if queue["hours_to_full"] is not None else ""
    head = f"headwater {answer['version']}: {'not ready: ' + reasons if reasons else 'ready'}"
    events = counted(queue["head_offset"] - queue["first_offset"], "event", "events")
    kept = f"{events} kept, next offset {queue['head_offset']}"
    room = (
        f"{size(queue['bytes_used'])} of {size(queue['bytes_budget'])}, {size(queue['disk_free_bytes'])} free{to_full}"
    )
    tables = (
        _destinations(answer["destinations"]),
        _not_running(answer["not_running"]),
        _sources(answer["sources"]),
        _forgetting(answer["forgetting"]),
    )
    return "\n\n".join(filter(None, (f"{head}\nqueue: {kept}, {room}", *tables)))


def _destinations(destinations: list[dict[str, Any]]) -> str:
    rows = [
        (
            each["name"],
            each["type"],
            each["state"],
            each["lag_events"],
            duration(each["lag_seconds"]),
            each["last_error"],
        )
        for each in destinations
    ]
    return table(("destination", "type", "state", "lag", "oldest", "last error"), rows)


def _not_running(left_over: list[dict[str, Any]]) -> str:
    """They hold the queue's events back until they come back or are dropped."""
    rows = [
        (each["name"], each["state"], each["pending"], each["dead"], f"headwater destinations drop {each['name']}")
        for each in left_over
    ]
    return table(("not running", "because", "undelivered", "dead", "forget it with"), rows) if rows else ""


def _sources(sources: list[dict[str, Any]]) -> str:
    rows = [[each[key] for key in ("source", "accepted", "duplicates", "rejected")] for each in sources]
    return table(("source", "accepted since start", "duplicates", "rejected"), rows)


def _forgetting(orders: list[dict[str, Any]]) -> str:
    rows = [(each["id"], each["asked_at"], each["step"], each["waiting"]) for each in orders]
    return table(("order to forget", "asked at", "step", "waits for"), rows) if rows else ""


def _ledger_text(answer: dict[str, Any]) -> str:
    columns = ("destination", "accepted", "delivered", "pending", "dead", "filtered")
    rows = [[*(each[key] for key in columns), each["fault"] or "ok"] for each in answer["destinations"]]
    filtered = [(each["destination"], each["rule"], each["events"]) for each in answer["filtered_since_start"]]
    by_rule = table(("destination", "rule", "filtered since start"), filtered) if filtered else ""
    return "\n\n".join(filter(None, (table([*columns, "check"], rows), by_rule)))
