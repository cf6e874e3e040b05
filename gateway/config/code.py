"""Files of the owner's own Python. Read when the configuration is, but not run: that is for where they belong."""

import ast
import hashlib
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator

TRANSFORM = "transform"
DESTINATION = "DESTINATION"
MOST_BESIDE = 100


class CodeFile(NamedTuple):
    """A file, and what tells its versions apart: a reload replaces whatever uses a version that is no more."""

    path: Path
    digest: str


def read_transform(value: Any) -> CodeFile:
    """The file, if it is one that defines `async def transform(event)`."""
    path, tree = _read(value)
    functions = [node for node in tree.body if getattr(node, "name", "") == TRANSFORM]
    if not functions or not isinstance(functions[-1], ast.AsyncFunctionDef):
        raise ValueError(f"{path} must define `async def {TRANSFORM}(event)`")
    if len(functions[-1].args.args) != 1:
        raise ValueError(f"`{TRANSFORM}` in {path} must take one argument, the event")
    return _known(path)


def read_destination(value: Any) -> CodeFile:
    """The file, if it is one that defines `DESTINATION`."""
    path, tree = _read(value)
    if not any(DESTINATION in _assigned(node) for node in tree.body):
        raise ValueError(f"{path} must define {DESTINATION}")
    return _known(path)


def _assigned(node: ast.stmt) -> list[str]:
    """The names that a statement gives a value."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _read(value: Any) -> tuple[Path, ast.Module]:
    if isinstance(value, CodeFile):
        value = value.path
    if not isinstance(value, str | Path):
        raise ValueError("write the path of a Python file in quotes")  # noqa: TRY004 - pydantic turns ValueError alone into a fault
    path = Path(value)
    try:
        return path, ast.parse(path.read_bytes(), filename=str(path))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{path} is not Python: {error}") from error


def _known(path: Path) -> CodeFile:
    """Told apart by the files beside it as well, which it may import."""
    beside = sorted(path.absolute().parent.glob("*.py"))[:MOST_BESIDE]
    digest = hashlib.sha256(path.read_bytes())
    for file in beside:
        digest.update(b"\0" + file.name.encode(errors="surrogateescape") + b"\0" + file.read_bytes())
    return CodeFile(path.absolute(), digest.hexdigest())


Transform = Annotated[CodeFile, BeforeValidator(read_transform)]
"""A file with `async def transform(event) -> event | list | None`."""
Plugin = Annotated[CodeFile, BeforeValidator(read_destination)]
"""A file with a `DESTINATION`."""
