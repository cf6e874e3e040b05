"""Sets a damaged database aside, where it stays until the operator removes it."""

from datetime import UTC, datetime
from pathlib import Path

from gateway.queue.store import FILE_NAME

_JOURNAL = f"{FILE_NAME}-wal"
_BEGUN = "salvaged"
"""Present once a fresh database knows of the damaged one beside it."""


def damaged_directory(directory: Path, now_ms: int) -> Path:
    """A new directory for what is damaged, named by the time."""
    name = f"damaged-{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%dT%H%M%S}Z"
    number = 1
    path = directory / name
    while path.exists():
        number += 1
        path = directory / f"{name}-{number:03}"
    path.mkdir()
    return path


def damaged_directories(directory: Path) -> list[Path]:
    """All that was ever set aside, and not removed since."""
    return sorted(path for path in directory.glob("damaged-*") if path.is_dir())


def set_aside(directory: Path, now_ms: int) -> Path:
    """Move the database and its journal out of the way; returns where to."""
    aside = damaged_directory(directory, now_ms)
    (directory / FILE_NAME).rename(aside / FILE_NAME)
    reunite(directory)
    return aside


def reunite(directory: Path) -> None:
    """Bring a journal without its database to where the database went.

    One that stayed behind, because the move was cut off, would be played into the next database.
    """
    journal = directory / _JOURNAL
    aside = unsalvaged(directory)
    if journal.exists() and not (directory / FILE_NAME).exists() and aside is not None:
        journal.rename(aside / _JOURNAL)


def unsalvaged(directory: Path) -> Path | None:
    """The latest damaged database that no fresh one knows of."""
    found = [path.parent for path in directory.glob(f"damaged-*/{FILE_NAME}") if not (path.parent / _BEGUN).exists()]
    return max(found, default=None)


def mark_begun(aside: Path) -> None:
    """The fresh database knows of it and brings over what can be read."""
    (aside / _BEGUN).touch()
