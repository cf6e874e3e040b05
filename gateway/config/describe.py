"""The settings of a kind of destination as a table for its page in docs/destinations, from the class itself."""

import ast
import inspect
import textwrap
from typing import Any

from pydantic import BaseModel, SecretStr

from gateway.config.settings import DestinationSettings

BEGIN = "<!-- settings -->"
END = "<!-- /settings -->"


def settings_table(kind: type[DestinationSettings]) -> str:
    """Markdown: each setting that the kind adds or gives another default, with that default and its docstring."""
    rows = [
        f"| `{name}` | {_default(kind, name)} | {meaning} |"
        for name, meaning in _meanings(kind).items()
        if name != "type" and name in kind.model_fields
    ]
    if not rows:
        return "It has no settings of its own."
    return "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows])


def with_table(page: str, kind: type[DestinationSettings]) -> str:
    """The page with its table as it must be. Raises ValueError where the page has no place for it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page needs a line {BEGIN} and a line {END}, between which the settings are written")
    return f"{before}{BEGIN}\n{settings_table(kind)}\n{END}{after}"


def _meanings(kind: type[BaseModel]) -> dict[str, str]:
    """Docstrings below the fields, in the order of the class; bases that add fields come first."""
    meanings: dict[str, str] = {}
    for cls in reversed(kind.__mro__):
        if cls is not DestinationSettings and issubclass(cls, BaseModel) and not issubclass(DestinationSettings, cls):
            meanings |= _docstrings(cls)
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
    return _shown(field.get_default(call_default_factory=True))


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
