"""A file holds one idea: no file has more than 400 lines, no function of the gateway more than 40."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILE_LINES = 400
FUNCTION_LINES = 40
SOURCES = {".py", ".ts", ".js", ".mjs", ".css", ".sql", ".lua"}
BUILT = ROOT / "gateway/script/dist"
INSTALLED = {"node_modules", ".venv"}


def sources_in(*folders: str) -> list[Path]:
    """All but what is built or installed."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in SOURCES]
    return [path for path in found if not INSTALLED.intersection(path.parts) and BUILT not in path.parents]


def functions_in(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of each function, decorators left out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("folder", ["gateway", "tests", "benchmarks"])
def test_no_file_is_too_long(folder: str) -> None:
    lines = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in sources_in(folder)}

    assert lines
    assert {name: count for name, count in lines.items() if count > FILE_LINES} == {}


def test_no_function_of_the_gateway_is_too_long() -> None:
    lines = dict(function for path in sources_in("gateway") if path.suffix == ".py" for function in functions_in(path))

    assert lines
    assert {name: count for name, count in lines.items() if count > FUNCTION_LINES} == {}
