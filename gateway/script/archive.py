"""Files of earlier releases. Pages pin the script's never-changing file, and an upgrade must not take it from under
them: each release leaves its own in a directory, and the newest of all are served."""

import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gateway.script.assets import Asset, Assets, javascript

MAX_FILES = 20
"""Five releases of the core and three modules."""
MAX_FILE_BYTES = 2**20
_NAME = re.compile(r"[0-9a-f]{16}\.js")


def with_former(assets: Assets, directory: Path) -> Assets:
    """`assets`, and what earlier releases left in `directory`, after leaving there what this one has.

    Raises OSError where the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    present = {asset.file_name: asset for asset in (assets.immutable, *assets.chunks.values())}
    for name, asset in present.items():
        _leave(directory / name, asset.body)
    newest = sorted(_files(directory), key=lambda file: file.stat().st_mtime, reverse=True)
    former = [_read(file) for file in newest[:MAX_FILES] if file.name not in present]
    for file in newest[MAX_FILES:]:
        file.unlink()
    return replace(assets, former={asset.file_name: asset for asset in former if asset is not None})


def _leave(path: Path, body: bytes) -> None:
    """Also renews its time: what runs is what is newest."""
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(body)
        part.replace(path)
    os.utime(path)


def _files(directory: Path) -> list[Path]:
    return [file for file in directory.iterdir() if _NAME.fullmatch(file.name)]


def _read(file: Path) -> Asset | None:
    """None for a file that is not what its name says: a crash, or somebody else, was at it."""
    with suppress(OSError):
        if file.stat().st_size <= MAX_FILE_BYTES:
            asset = javascript(file.read_bytes())
            return asset if asset.file_name == file.name else None
    return None
