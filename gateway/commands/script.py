"""`script`: what goes into pages, and new addresses for it. Reads the configuration file; needs no daemon."""

import os
import random
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.client import RefusedError
from gateway.commands.connect import existing_file
from gateway.model.errors import HeadwaterError

if TYPE_CHECKING:
    from gateway.config import Settings


@click.group()
def script() -> None:
    """What pages need of the browser script."""


@script.command()
@click.argument("file", type=existing_file)
@click.option("--source", help="The source whose script it is; the first one if not given.")
@click.option("--host", default="", metavar="URL", help="Scheme and host, where the gateway has its own.")
def tag(file: Path, source: str | None, host: str) -> None:
    """Print the tags of the configuration in FILE, ready to be pasted into a page."""
    from gateway.collect.script_files import pinned_attributes, places  # noqa: PLC0415 - brings in the intake
    from gateway.script import load_assets  # noqa: PLC0415 - reads files

    settings = _load(file)
    name = source or next(iter(settings.sources))
    if name not in settings.sources:
        raise RefusedError(f"there is no source {name!r}", f"one of: {', '.join(settings.sources)}")
    assets, place = load_assets(), places(settings.script)[0]
    folder, _, file_name = place.rpartition("/")
    base = host.rstrip("/") + settings.server.path_prefix
    own = f"{base}{place}" if name == next(iter(settings.sources)) else f"{base}{folder}/{name}/{file_name}"
    snippet = assets.snippet.replace("SCRIPT_URL", f"{own}.js").replace(
        "WRITE_KEY", settings.sources[name].write_keys[0]
    )
    pinned = {"src": f"{base}{folder}/{assets.immutable.file_name}", "integrity": assets.immutable.integrity}
    pinned |= {"crossorigin": "anonymous"} | pinned_attributes(settings, name)
    tags = {
        "One tag.": f'<script async src="{own}.js"></script>',
        "Or the snippet: analytics.track() and the others can be called at once.": f"<script>{snippet}</script>",
        "Or pinned: never changes; an upgrade gives it another address.": f"<script async {_html(pinned)}></script>",
        "For pages without JavaScript.": f'<noscript><img src="{own}" alt="" width="1" height="1"></noscript>',
    }
    click.echo("\n\n".join(f"<!-- {what} -->\n{html}" for what, html in tags.items()))


@script.command()
@click.argument("file", type=existing_file)
def rotate(file: Path) -> None:
    """Draw a new address for the script and print the lines for FILE, which is not changed.

    The present address goes on answering until it is taken out of `former`.
    """
    from gateway.collect.script_files import places  # noqa: PLC0415 - brings in the intake
    from gateway.config.init import NAME_LENGTH, PATH_LENGTH, draw_word  # noqa: PLC0415 - pydantic takes its time

    former = ", ".join(f'"{place}"' for place in places(_load(file).script))
    rng = random.SystemRandom()
    click.echo(
        "[script]\n"
        f'path = "/{draw_word(rng, PATH_LENGTH)}"\n'
        f'name = "{draw_word(rng, NAME_LENGTH)}"\n'
        f"former = [{former}]"
    )
    click.echo("Put these lines into the file, reload, and print the new tags with `headwater script tag`.", err=True)


def _load(file: Path) -> "Settings":
    from gateway.kinds import read_configuration  # noqa: PLC0415 - brings in every room

    try:
        return read_configuration(file, os.environ).settings
    except HeadwaterError as error:
        raise RefusedError(error.message, error.hint) from error


def _html(attributes: dict[str, str]) -> str:
    return " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
