"""`person`: who somebody is, and why the gateway thinks so."""

from typing import Any

import click

from gateway.commands.client import Client
from gateway.commands.connect import asks_daemon
from gateway.commands.overview import as_json
from gateway.commands.render import cell, indented, table

PATIENCE_S = 60.0
REBUILD_PATIENCE_S = 3600.0
IDENTIFIER_COLUMNS = ("identifier_type", "identifier", "cause", "linked_at", "linked_by")

of_warehouse = click.option("--destination", metavar="NAME", help="The warehouse; needed when there is more than one.")


class ShowsByDefault(click.Group):
    """`person ID` is `person show ID`."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(context, args if known else ["show", *args])


@click.group(cls=ShowsByDefault)
def person() -> None:
    """Show who a person is; undo a link; compute all anew.

    `headwater person ID` takes any identifier: a user id, an anonymous id, an e-mail address, a person id.
    """


@person.command("show")
@click.argument("identifier", metavar="ID")
@click.option("-n", "--events", type=click.IntRange(0, 10_000), default=20, show_default=True, help="Newest events.")
@of_warehouse
@as_json
@asks_daemon
def show(client: Client, identifier: str, events: int, destination: str | None, *, is_json: bool) -> None:
    """Show identifiers, how and when each was linked, merges, traits and the newest events of a person."""
    answer = client.get("/api/person", id=identifier, events=events, destination=destination)
    click.echo(indented(answer) if is_json else _text(answer))


@person.command("unmerge")
@click.argument("left", metavar="ID")
@click.argument("right", metavar="OTHER")
@click.confirmation_option("-y", "--yes", prompt="Take this link back, for good?", help="Do not ask.")
@of_warehouse
@asks_daemon
def unmerge(client: Client, left: str, right: str, destination: str | None) -> None:
    """Take back the link between two identifiers.

    Events that say the same later change nothing.
    """
    fields = {"left": left, "right": right, "destination": destination}
    answer = client.post("/api/person/unmerge", fields, PATIENCE_S)
    rows = [(answer[side]["id"], answer[side]["person_id"]) for side in ("left", "right")]
    click.echo(table(("identifier", "person"), rows))


@person.command("rebuild")
@of_warehouse
@as_json
@asks_daemon
def rebuild(client: Client, destination: str | None, *, is_json: bool) -> None:
    """Compute who is who anew, from all links in the order of their events.

    Loads wait meanwhile. Tells what has changed; only what a guard had refused may.
    """
    answer = client.post("/api/person/rebuild", {"destination": destination}, REBUILD_PATIENCE_S)
    if is_json:
        click.echo(indented(answer))
        return
    shown = len(answer["examples"])
    more = f"; the first {shown}:" if shown < answer["differences"] else ""
    click.echo(f"{answer['edges']} links, {answer['differences']} differences{more}")
    if answer["examples"]:
        rows = [(each["table"], each["only"], each["row"]) for each in answer["examples"]]
        click.echo(table(("table", "only", "row"), rows))


def _text(answer: dict[str, Any]) -> str:
    traits = [(name, cell(value)) for name, value in answer["summary"].items() if value is not None]
    parts = [
        table(("about", "value"), [("person_id", answer["person_id"]), *traits[1:]]),
        _part(
            "identifiers", answer["identifiers"], ("identifier_type", "identifier", "cause", "linked_at", "linked_by")
        ),
        _part("devices", answer["spans"], ("anonymous_id", "owner", "from", "to")),
        _part("history", answer["history"], ("recorded_at", "kind", "other", "cause", "message_id")),
        _part("refused links", answer["refused"], ("left_value", "right_value", "cause", "refused", "message_id")),
        _part("newest events", answer["timeline"], ("timestamp", "type", "event", "source", "anonymous_id", "user_id")),
    ]
    return "\n\n".join(filter(None, parts))


def _part(title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    return f"{title}:\n{table(columns, [[row[name] for name in columns] for row in rows])}" if rows else ""
