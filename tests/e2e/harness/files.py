"""What is written in the queue's files, read as somebody would who has the disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

import zstandard


def everything_in(directory: Path) -> bytes:
    """The bytes of all files, and of every zstd frame in the database: the chunks of the log, decompressed."""
    parts = [path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()]
    parts += [_content(body) for path in directory.rglob("queue.db") for body in _bodies(path)]
    return b"\0".join(parts)


def _bodies(database: Path) -> list[bytes]:
    """Read from a copy, so that nothing of the original is touched, whoever has it open."""
    with closing(sqlite3.connect(":memory:")) as copy:
        content, journal = database.read_bytes(), database.with_name("queue.db-wal")
        scratch = database.with_name("copy-of-queue.db")
        scratch.write_bytes(content)
        if journal.exists():
            scratch.with_name("copy-of-queue.db-wal").write_bytes(journal.read_bytes())
        try:
            with closing(sqlite3.connect(scratch)) as source:
                source.backup(copy)
            return [body for (body,) in copy.execute("SELECT body FROM chunks")]
        finally:
            for path in database.parent.glob("copy-of-queue.db*"):
                path.unlink()


def _content(body: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(body[:-4])
