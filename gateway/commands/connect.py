"""How a command finds its daemon: --admin, HEADWATER_ADMIN, the configuration, or the default address."""

import functools
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec

import click

from gateway.commands.client import Client

P = ParamSpec("P")

DEFAULT_ADDRESS = "http://127.0.0.1:9090"

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)
configured = click.option(
    "-c", "--config", type=existing_file, envvar="HEADWATER_CONFIG", required=True, help="The TOML file."
)
"""For commands that read the configuration themselves."""


def asks_daemon(command: Callable[Concatenate[Client, P], None]) -> Callable[..., None]:
    """Gives `command` its client, and the command line the two options that say where the daemon is."""

    @click.option(
        "--admin", metavar="ADDRESS", envvar="HEADWATER_ADMIN", help="The daemon: http://host:port or unix:/path."
    )
    @click.option("-c", "--config", type=existing_file, help="The daemon's configuration, which says where it is.")
    @functools.wraps(command)
    def connected(admin: str | None, config: Path | None, *args: P.args, **options: P.kwargs) -> None:
        command(Client(_address(admin, config)), *args, **options)

    return connected


def _address(admin: str | None, config: Path | None) -> str:
    if admin:
        return admin
    return _listen_of(config) if config else DEFAULT_ADDRESS


def _listen_of(config: Path) -> str:
    """Read without the rest of the file: its secrets may be out of the operator's reach."""
    try:
        section = tomllib.loads(config.read_text(encoding="utf-8")).get("admin", {})
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{config}: {error}") from error
    return str(section.get("listen", DEFAULT_ADDRESS)) if isinstance(section, dict) else DEFAULT_ADDRESS
