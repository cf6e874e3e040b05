"""docs/configuration.md has every setting with its default, and none that does not exist."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest
from pydantic import BaseModel, Field, TypeAdapter
from pydantic.fields import FieldInfo

from gateway.config import DestinationSettings, Settings, SourceSettings

DOCUMENT = (Path(__file__).parents[3] / "docs/configuration.md").read_text(encoding="utf-8")
NESTED = {"sources": SourceSettings, "destinations": DestinationSettings}
"""Those of kinds are on pages of their own, which other tests compare."""
HEADING = re.compile(r"^#{2,3} `\[?(?:type = )?\"?([a-z_.NAME]+)\"?\]?`$", re.MULTILINE)
ROW = re.compile(r"^\| `([a-z_.]+)` \| (?:`(.*?)`|(required|none)) \| .+ \|$", re.MULTILINE)


class Setting(NamedTuple):
    """Where a setting is in the file, and what it is without being set."""

    section: str
    key: str
    field: FieldInfo


def settings_in(section: str, model: type[BaseModel], before: str = "") -> Iterator[Setting]:
    for key, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings_in(section, inner, f"{before}{key}.")
        else:
            yield Setting(section, before + key, field)


def all_settings() -> Iterator[Setting]:
    for section, field in Settings.model_fields.items():
        if section in NESTED:
            yield from settings_in(f"{section}.NAME", NESTED[section])
        else:
            assert isinstance(field.annotation, type)
            yield from settings_in(section, field.annotation)


def default_of(field: FieldInfo) -> Any:
    return "required" if field.is_required() else field.get_default(call_default_factory=True)


def documented() -> dict[tuple[str, str], str]:
    """The default as written, by section and key."""
    _, *parts = HEADING.split(DOCUMENT)
    return {
        (section, key): literal or word
        for section, text in zip(parts[::2], parts[1::2], strict=True)
        for key, literal, word in ROW.findall(text)
    }


SETTINGS = list(all_settings())


def test_the_document_names_each_setting_and_no_other() -> None:
    assert set(documented()) == {(setting.section, setting.key) for setting in SETTINGS}


def test_every_row_of_the_document_is_understood() -> None:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| `")]

    assert len(rows) == len(documented())


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: f"{setting.section}:{setting.key}")
def test_the_documented_default_is_the_default(setting: Setting) -> None:
    written = documented()[setting.section, setting.key]
    default = default_of(setting.field)

    if written in {"required", "none"}:
        assert default == {"required": "required", "none": None}[written]
    else:
        adapter: TypeAdapter[Any] = TypeAdapter(Annotated[(setting.field.annotation, Field(), *setting.field.metadata)])
        assert adapter.validate_python(tomllib.loads(f"value = {written}")["value"]) == default
