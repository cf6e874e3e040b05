"""The SQL of this room: queries by name, and the migrations in their order."""

import re
from collections.abc import Mapping
from importlib.resources import files

_NAMED = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def named_queries(topic: str) -> Mapping[str, str]:
    """The queries of sql/`topic`.sql by the name in the comment above each."""
    text = (files(__package__) / "sql" / f"{topic}.sql").read_text(encoding="utf-8")
    _, *parts = _NAMED.split(text)
    return {name: sql.strip().removesuffix(";") for name, sql in zip(parts[::2], parts[1::2], strict=True)}


def migrations() -> Mapping[int, str]:
    """The script that leads to each version of the schema, in order."""
    folder = files(__package__) / "sql" / "migrations"
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return {int(script.name.split("_", 1)[0]): script.read_text(encoding="utf-8") for script in scripts}
