"""Secrets stay out of the file: `${NAME}` takes an environment variable, `file:PATH` a file's first line,
`credential:NAME` what systemd's LoadCredential provided."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_UNCLOSED = re.compile(r"\$\{(?!\{|[A-Za-z_][A-Za-z0-9_]*\})")
"""But not the sign of a currency before a placeholder, ${{ ... }}."""
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
            return _first_line(_credentials(environ) / name)
        return _with_variables(text, environ)
    except OSError as error:
        faults.append((path, f"{error.filename}: {error.strerror}; write the secret there, readable to the daemon"))
    except ValueError as error:
        faults.append((path, str(error)))
    return ""


def _with_variables(text: str, environ: Mapping[str, str]) -> str:
    """Raises ValueError in words where a variable is not there, or empty, or not written as one."""
    if _UNCLOSED.search(text):
        raise ValueError("${ begins the name of an environment variable; write it like ${NAME}")
    return _VARIABLE.sub(lambda found: _variable(found[1], environ), text)


def _variable(name: str, environ: Mapping[str, str]) -> str:
    try:
        value = environ[name]
    except KeyError:
        raise ValueError(f"the environment has no {name}; set it, or use file: or credential:") from None
    if not value:
        raise ValueError(f"in the environment {name} is empty; set it, or use file: or credential:")
    return value


def _credentials(environ: Mapping[str, str]) -> Path:
    """Raises ValueError where systemd did not start us, or handed nothing over."""
    if not environ.get("CREDENTIALS_DIRECTORY"):
        raise ValueError(
            "credential: is what systemd hands to a service (LoadCredential=), and here is none; "
            "start it there, or use file: or ${NAME}"
        )
    return Path(environ["CREDENTIALS_DIRECTORY"])


def _first_line(path: Path) -> str:
    """Raises OSError when there is no such file, ValueError in words when its first line is not a text."""
    try:
        line = path.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    except ValueError:  # of the bytes, or of a path with a NUL
        line = ""
    if not line:
        raise ValueError(f"{path} does not lead to a secret; its first line must be text")
    return line
