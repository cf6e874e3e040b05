"""The settings of a kind of destination as a table for its page in docs, from the class itself."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, BeforeValidator, SecretStr

from gateway.config.settings import DestinationSettings
from gateway.config.units import duration_in_words, parse_duration_s, parse_size_bytes, written_size

BEGIN = "<!-- settings -->"
END = "<!-- /settings -->"


Kind = type[DestinationSettings]


def settings_table(kind: Kind, base: Kind = DestinationSettings) -> str:
    """Markdown: each setting that the kind adds to `base` or has another default for, with default and docstring.

    A section of settings without a docstring of its own is told by its settings.
    """
    told = set(_rows(base, DestinationSettings))
    rows = [row for row in _rows(kind, DestinationSettings) if row not in told]
    if not rows:
        return "It has no settings of its own."
    return "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows])


def with_table(page: str, kind: Kind, base: Kind = DestinationSettings) -> str:
    """The page with its table as it must be. Raises ValueError where the page has no place for it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page needs a line {BEGIN} and a line {END}, between which the settings are written")
    return f"{before}{BEGIN}\n{settings_table(kind, base)}\n{END}{after}"


def _rows(kind: type[BaseModel], root: type[BaseModel], section: str = "") -> Iterator[str]:
    for name, meaning in _meanings(kind, root).items():
        if name == "type" or name not in kind.model_fields:
            continue
        field = kind.model_fields[name]
        if not meaning and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _rows(field.annotation, BaseModel, f"{section}{name}.")
        else:
            yield f"| `{section}{field.alias or name}` | {_default(kind, name)} | {meaning} |"


def _meanings(kind: type[BaseModel], root: type[BaseModel]) -> dict[str, str]:
    """Docstrings below the fields, in the order of the class; bases that add fields to `root` come first."""
    meanings: dict[str, str] = {}
    for cls in reversed(kind.__mro__):
        if cls is not root and issubclass(cls, BaseModel) and not issubclass(root, cls):
            meanings |= {name: text for name, text in _docstrings(cls).items() if text or name not in meanings}
    return meanings


def _docstrings(cls: type) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for node, following in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = _text(following)
    return found


def _text(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split()).replace("|", "\\|")
    return ""


def _default(kind: type[BaseModel], name: str) -> str:
    field = kind.model_fields[name]
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    for mark in field.metadata:
        if default is not None and isinstance(mark, BeforeValidator) and mark.func in _WRITTEN:
            return f'`"{_WRITTEN[mark.func](default)}"`'
    return _shown(default)


_WRITTEN: Mapping[Any, Callable[[Any], str]] = {parse_duration_s: duration_in_words, parse_size_bytes: written_size}
"""How what these have read is written."""


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, BaseModel):
        changed = {key: getattr(value, key) for key in sorted(value.model_fields_set)}
        return ", ".join(f"`{key} = {held}`" for key, held in changed.items()) or "none"
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{list(value) if isinstance(value, tuple) else value}`"
