"""`replay`: the past once more, from the queue or from an archive."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from gateway.commands.client import Client, UnreachableError
from gateway.commands.connect import asks_daemon
from gateway.commands.render import printable, table
from gateway.model.words import counted

RUNNING = "running"
SILENCE_S = 600.0
"""How long a daemon may say nothing: in the beginning it looks through the archive's folders."""


@click.command
@click.option("--destination", metavar="NAME", required=True)
@click.option("--from", "start", metavar="TIME", help='"2h ago", or 2026-05-01T08:00:00Z.')
@click.option("--to", "end", metavar="TIME", default="now", show_default=True)
@click.option("--from-archive", "archive", metavar="NAME", help="Load a warehouse with what this archive has kept.")
@click.option("--source", metavar="NAME", help="Of an archive: only this source.")
@asks_daemon
def replay(
    client: Client, destination: str, start: str | None, end: str, archive: str | None, source: str | None
) -> None:
    """Deliver a stretch of time again.

    Beside what is delivered now, and with the same message ids. From the queue, as far back as it keeps events; from an
    archive, all that it has, unless --from says otherwise. The latter lasts as long as the command, and exits with 1
    where not everything could be loaded.
    """
    if archive is not None:
        order = {"destination": destination, "archive": archive, "from": start, "to": end, "source": source}
        _from_archive(client, order)
    elif start is None:
        raise click.UsageError("say from when: --from TIME")
    elif source is not None:
        raise click.UsageError("--source is for --from-archive; of the queue, all sources are replayed")
    else:
        answer = client.post("/api/replay", {"destination": destination, "from": start, "to": end})
        events = counted(answer["events"], "event", "events")
        click.echo(f"{answer['replay']} delivers {events} again; see `headwater status`")


def _from_archive(client: Client, order: dict[str, Any]) -> None:
    status: dict[str, Any] = {}
    try:
        for answer in client.follow("/api/backfill", order, SILENCE_S):
            _show(answer, status)
            status = answer
        if status.get("state", RUNNING) == RUNNING:
            raise UnreachableError("the daemon has gone meanwhile")
    except (KeyboardInterrupt, click.ClickException):
        if status:
            click.echo(f"\nbroken off; {_how_to_go_on(status)}", err=True)
        raise
    click.echo(err=True)
    click.echo(_summary(status))
    if not _is_complete(status):
        sys.exit(1)


def _show(status: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """On a terminal one line that changes; elsewhere one for each day, and for each time that it waits."""
    is_terminal = sys.stderr.isatty()
    if is_terminal or any(status[key] != before.get(key) for key in ("day", "waiting")):
        click.echo(f"\r{progress(status)}\x1b[K" if is_terminal else progress(status), nl=not is_terminal, err=True)


def progress(status: Mapping[str, Any]) -> str:
    """How far it is, in one line."""
    parts = [
        f"{status['day'] or 'begins'}: {status['days_done']} of {counted(status['days'], 'day', 'days')} done",
        counted(status["objects"], "object", "objects"),
        counted(status["events"], "event", "events"),
        f"{counted(status['rows'], 'row', 'rows')} stored",
        f"{counted(status['duplicates'], 'duplicate', 'duplicates')}",
        f"{sum(status['kept_back'].values())} kept back",
        f"{status['refused']} refused",
        f"{status['unreadable']} unreadable" if status["unreadable"] else "",
        f"waits: {status['waiting']}" if status["waiting"] else "",
    ]
    return printable(", ".join(filter(None, parts)))


def _summary(status: Mapping[str, Any]) -> str:
    rows = [("objects", "", status["objects"]), ("events", "", status["events"])]
    rows += [("stored", "rows", status["rows"]), ("there already", "duplicates", status["duplicates"])]
    rows += [("kept back", rule, events) for rule, events in sorted(status["kept_back"].items())]
    rows += [("refused", "events", status["refused"])] if status["refused"] else []
    rows += [("unreadable", "objects", status["unreadable"])] if status["unreadable"] else []
    parts = [table(("", "what", "number"), rows), _refusals(status), _unreadable(status)]
    if status["state"] != "done":
        why = status["error"] or "the daemon stops"
        parts.append(printable(f"broken off: {why}; {_how_to_go_on(status)}"))
    return "\n\n".join(filter(None, parts))


def _refusals(status: Mapping[str, Any]) -> str:
    columns = ("message_id", "source", "reason", "error")
    rows = [[refusal[column] for column in columns] for refusal in status["refusals"]]
    more = status["refused"] - len(rows)
    note = f"\nand {more} more" if more else ""
    return f"{table(('refused', *columns[1:]), rows)}{note}\nThey stay in the archive." if rows else ""


def _unreadable(status: Mapping[str, Any]) -> str:
    more = status["unreadable"] - len(status["unreadable_objects"])
    note = f"\nand {more} more" if more else ""
    rows = [[error] for error in status["unreadable_objects"].values()]
    return f"{table(('objects that were left out',), rows)}{note}" if rows else ""


def _how_to_go_on(status: Mapping[str, Any]) -> str:
    """All days before the one that was being read are done."""
    hint = f", or with --from {status['day']} to spare what is done" if status["days_done"] else ""
    return f"what is loaded stays; give the order again{hint}"


def _is_complete(status: Mapping[str, Any]) -> bool:
    return status["state"] == "done" and not status["refused"] and not status["unreadable"]
