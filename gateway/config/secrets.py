"""Secrets stay out of the file: `${NAME}` takes an environment variable, `file:PATH` a file's first line,
`credential:NAME` what systemd's LoadCredential provided."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def resolve_secrets(
    document: dict[str, Any], environ: Mapping[str, str], faults: list[tuple[str, str]]
) -> dict[str, Any]:
    """A copy of `document` with every reference replaced; a reference that leads nowhere is added to `faults`."""
    return {key: _resolve(value, key, environ, faults) for key, value in document.items()}


def _resolve(value: Any, path: str, environ: Mapping[str, str], faults: list[tuple[str, str]]) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, f"{path}.{key}", environ, faults) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, f"{path}.{index}", environ, faults) for index, item in enumerate(value)]
    return _resolve_text(value, path, environ, faults) if isinstance(value, str) else value


def _resolve_text(text: str, path: str, environ: Mapping[str, str], faults: list[tuple[str, str]]) -> str:
    kind, _, name = text.partition(":")
    try:
        if kind == "file":
            return _first_line(Path(name))
        if kind == "credential":
            return _first_line(Path(environ["CREDENTIALS_DIRECTORY"]) / name)
        return _VARIABLE.sub(lambda found: environ[found[1]], text)
    except KeyError as missing:
        faults.append((path, f"the environment has no {missing.args[0]}; set it, or use file: or credential:"))
    except OSError as error:
        faults.append((path, f"{error.filename}: {error.strerror}; write the secret there, readable to the daemon"))
    except ValueError:
        faults.append((path, f"{kind}:{name} does not lead to a secret; its first line must be text"))
    return ""


def _first_line(path: Path) -> str:
    """Raises OSError when there is no such file, ValueError when the path or the first line is not a text."""
    line = path.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    if not line:
        raise ValueError("empty")
    return line
