"""`try`, `preview` and `new`: what a destination would be sent, and first files for one's own code."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import click

from gateway.commands.client import Client, RefusedError, quoted
from gateway.commands.connect import asks_daemon, configured
from gateway.commands.render import indented
from gateway.model.errors import HeadwaterError

KINDS = {
    "destination": ("NAME.py", "test_NAME.py", "NAME.md"),
    "transform": ("NAME.py", "test_NAME.py"),
}
TEMPLATES = Path(__file__).with_name("templates")


@click.command("try")
@click.argument("destination")
@click.option("--event", type=click.File("rb"), default="-", help="A file with the event's JSON; else standard input.")
@configured
@click.option("--source", help="The source that it comes from; else the first of the configuration.")
def try_(destination: str, event: BinaryIO, config: Path, source: str | None) -> None:
    """Print what DESTINATION would be sent for an event.

    Needs no daemon, and sends nothing. Secrets are shown as ***. Exits with 1 when the event could not be sent.
    """
    from gateway.trial import try_event  # noqa: PLC0415 - brings in every room

    try:
        answer = asyncio.run(try_event(config, os.environ, destination, event.read(), source))
    except HeadwaterError as error:
        raise RefusedError(error.message, error.hint) from error
    _show(answer)


@click.command
@click.argument("destination")
@click.argument("message_id")
@asks_daemon
def preview(client: Client, destination: str, message_id: str) -> None:
    """Print what DESTINATION would be sent for a stored event.

    By the configuration in force, and without sending it. Secrets are shown as ***. Exits with 1 when it could not be
    sent.
    """
    _show(client.get(f"/api/preview/{quoted(destination)}/{quoted(message_id)}"))


@click.command
@click.argument("kind", type=click.Choice(sorted(KINDS)))
@click.argument("name")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=".", help="The directory.")
def new(kind: str, name: str, into: Path) -> None:
    """Write the first files of a destination or transform of your own.

    A file that exists is never overwritten.
    """
    if not (name.isidentifier() and name.islower()):
        raise click.BadParameter("write a name of lower-case letters, digits and _", param_hint="NAME")
    written = []
    for pattern in KINDS[kind]:
        path = into / pattern.replace("NAME", name)
        text = (TEMPLATES / f"{kind}_{pattern}.txt").read_text(encoding="utf-8").replace("NAME", name)
        _write(path, text.replace("TITLE", name.replace("_", " ").capitalize()))
        written.append(path)
    click.echo("\n".join(f"{path} is written" for path in written))
    click.echo(_next_steps(kind, name, written[0]))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise RefusedError(f"{path} exists", "remove it, or choose another name") from error
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}") from error


def _next_steps(kind: str, name: str, path: Path) -> str:
    if kind == "transform":
        lines = [f'transforms = ["{path}"]', "", "in a [sources.*] or [destinations.*] section"]
    else:
        lines = [
            "[plugins]",
            f'destinations = ["{path}"]',
            "",
            f"[destinations.{name}]",
            f'type = "{name}"',
            "url = ...",
        ]
    return "\n".join(["Next: change it, and put into the configuration", "", *(f"  {line}" for line in lines)])


def _show(answer: dict[str, Any]) -> None:
    requests = answer["requests"]
    if answer["outcome"] == "sent":
        click.echo(indented(requests))
    else:
        words = {"filtered": "kept back by the rule", "dead": "could not be sent"}[answer["outcome"]]
        click.echo(f"{words} {answer['reason']}" + (f": {answer['error']}" if answer["error"] else ""))
    if answer["outcome"] == "dead":
        sys.exit(1)
