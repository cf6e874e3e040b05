"""`init`, `check` and `run`: before there is a daemon, and the daemon itself."""

import asyncio
import ctypes
import os
import random
import sys
from pathlib import Path

import click

from gateway.commands.client import RefusedError
from gateway.commands.connect import configured, existing_file
from gateway.model.errors import HeadwaterError

FILE_NAME = "headwater.toml"
PRIVATE = 0o640
"""The owner may write secrets into the file."""
_M_MMAP_THRESHOLD = -3
_MMAP_THRESHOLD_BYTES = 128 * 2**10


@click.command
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--origin", "origins", metavar="URL", multiple=True, help="A site whose pages may send; may be repeated.")
def init(directory: Path, origins: tuple[str, ...]) -> None:
    """Write a first configuration into DIRECTORY.

    Its script path and its write key are drawn at random. A file that exists is never overwritten.
    """
    from gateway.config.init import first_configuration  # noqa: PLC0415 - pydantic takes its time to load

    path = directory / FILE_NAME
    text = first_configuration(random.SystemRandom(), directory.absolute() / "data", origins)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.touch(PRIVATE, exist_ok=False)
        path.write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise RefusedError(f"{path} exists", "remove it, or name another directory") from error
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}") from error
    click.echo(f"{path} is written. Next:")
    click.echo(f"  1. Read it, and change what is marked CHANGE.\n  2. headwater check {path}")
    click.echo(f"  3. headwater run --config {path}")


@click.command
@click.argument("file", type=existing_file)
def check(file: Path) -> None:
    """List the faults in FILE and try its destinations.

    Needs no daemon; delivers, makes and changes nothing. Exits with 1 when anything is wrong.
    """
    from gateway.app import check as check_file  # noqa: PLC0415 - brings in every room

    try:
        troubles, untried = asyncio.run(check_file(file, os.environ))
    except HeadwaterError as error:
        raise RefusedError(error.message, error.hint) from error
    for name, trouble in troubles.items():
        click.echo(f"destinations.{name}: {trouble}")
    for name, reason in untried.items():
        click.echo(f"destinations.{name}: not tried: {reason}")
    if troubles:
        sys.exit(1)
    click.echo(f"{file} has no fault, and every destination that was tried answers")


@click.command
@configured
def run(config: Path) -> None:
    """Run the daemon until SIGTERM.

    SIGHUP has it read its configuration again.
    """
    import uvloop  # noqa: PLC0415 - brings in every room

    from gateway.app import run as run_daemon  # noqa: PLC0415 - brings in every room

    _give_memory_back()
    try:
        uvloop.run(run_daemon(config, os.environ))
    except HeadwaterError as error:
        raise RefusedError(error.message, error.hint) from error


def _give_memory_back() -> None:
    """Have the C library return large blocks to the system, as it does until it has seen the first of them freed.

    After that it keeps up to 64 MB of them for each thread, and there are several threads that use large blocks in
    turn. Elsewhere than in glibc there is nothing to set.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)
