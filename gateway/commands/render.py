"""Answers as text for people, and as CSV and JSON for programs. Pure."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

KIBI = 1024
SECONDS = ((86_400, "d"), (3600, "h"), (60, "min"))


def printable(text: str) -> str:
    """`text` with all that could steer a terminal written as an escape: clients write what they like."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Aligned columns below a header; numbers to the right."""
    cells = [[cell(value) for value in row] for row in rows]
    header = [printable(column) for column in columns]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    to_right = [bool(rows) and all(_is_number(row[index]) for row in rows) for index in range(len(header))]
    lines = [header, ["-" * width for width in widths], *cells]
    return "\n".join(_aligned(line, widths, to_right) for line in lines)


def cell(value: Any) -> str:
    """One value in one line."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return printable(json.dumps(value, ensure_ascii=False))
    return printable(str(value))


def comma_separated(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """CSV as RFC 4180 has it, but with plain line ends; NULL is an empty field, nested values are JSON."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([json.dumps(value) if isinstance(value, dict | list | bool) else value for value in row])
    return text.getvalue().rstrip("\n")


def indented(value: Any) -> str:
    """JSON for reading."""
    return "\n".join(printable(line) for line in json.dumps(value, indent=2, ensure_ascii=False).splitlines())


def size(count: int) -> str:
    """Bytes in the largest unit that leaves a whole number before the point."""
    amount, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < KIBI:
            break
        amount, unit = amount / KIBI, larger
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


def duration(seconds: float) -> str:
    """Seconds in the largest unit that fits."""
    for length, unit in SECONDS:
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _aligned(line: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    fields = zip(line, widths, to_right, strict=True)
    return "  ".join(text.rjust(width) if right else text.ljust(width) for text, width, right in fields).rstrip()
