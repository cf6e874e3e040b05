"""Reads the configuration file: TOML, then secrets, then pydantic; the first two report like the third."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, create_model

from gateway.config.secrets import resolve_secrets
from gateway.config.settings import DestinationSettings, Name, Settings
from gateway.model.errors import ConfigError

Fault = tuple[str, str]
"""(dotted path of the key, what is wrong with it)"""


def load_settings(path: Path, kinds: Iterable[type[DestinationSettings]], environ: Mapping[str, str]) -> Settings:
    """The settings in the TOML file at `path`.

    Raises ConfigError that lists every fault with its key. `kinds` are the destination types that exist; `environ` is
    where `${NAME}` is looked up.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="write a first one with `headwater init`") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    faults: list[Fault] = []
    resolved = resolve_secrets(document, environ, faults)
    settings = _validate(resolved, kinds, faults)
    if settings is not None:
        faults += _cross_check(settings)
    if settings is None or faults:
        lines = "".join(f"\n  {key}: {fault}" for key, fault in faults)
        raise ConfigError(f"{path} has {len(faults)} fault{'s' if len(faults) > 1 else ''}:{lines}")
    return settings


def _validate(
    document: dict[str, Any], kinds: Iterable[type[DestinationSettings]], faults: list[Fault]
) -> Settings | None:
    union = reduce(or_, kinds)
    destination = Annotated[union, Field(discriminator="type")]  # type: ignore[valid-type]
    model = create_model("Settings", __base__=Settings, destinations=(dict[Name, destination], {}))
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults += [_describe(dict(detail)) for detail in error.errors(include_url=False, include_input=False)]
        return None


def _describe(detail: dict[str, Any]) -> Fault:
    """One of pydantic's errors in the words of the file."""
    location = [str(part) for part in detail["loc"]]
    if location[0] == "destinations" and len(location) > 3:  # noqa: PLR2004 - destinations.NAME.<type>.KEY
        del location[2]
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        message = "unknown key; check the spelling in docs/configuration.md"
    return ".".join(location), message


def _cross_check(settings: Settings) -> list[Fault]:
    """What no single key can show."""
    faults: list[Fault] = []
    owner_of: dict[str, str] = {}
    for name, source in settings.sources.items():
        for key in source.write_keys:
            if owner_of.setdefault(key, name) != name:
                faults.append(
                    (f"sources.{name}.write_keys", f"a key is also one of source {owner_of[key]}; draw another")
                )
    for name, destination in settings.destinations.items():
        faults += [
            (f"destinations.{name}.sources", f'there is no source "{source}"')
            for source in destination.sources
            if source not in settings.sources
        ]
    if settings.demo.enabled and settings.demo.source not in settings.sources:
        faults.append(("demo.source", f'there is no source "{settings.demo.source}"'))
    return faults
