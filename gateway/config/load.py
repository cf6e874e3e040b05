"""Reads the configuration file: TOML, then secrets, then pydantic, then what only the whole shows.

Every step adds to one list of faults, so that an owner mends a file in one go.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, create_model

from gateway.config.cross_check import cross_check
from gateway.config.faults import Fault, describe
from gateway.config.secrets import resolve_secrets
from gateway.config.settings import DestinationSettings, Settings, WarehouseSettings
from gateway.config.texts import Name
from gateway.model.errors import ConfigError


def load_settings(
    path: Path,
    kinds: Sequence[type[DestinationSettings]],
    environ: Mapping[str, str],
    known: Sequence[Fault] = (),
    only: str = "",
) -> Settings:
    """The settings in the TOML file at `path`; `only` those of one destination, and of the warehouse that it asks.

    Raises ConfigError that lists every fault with its key, beside those `known` before. `kinds` are the destination
    types that exist; `environ` is where `${NAME}` is looked up.
    """
    faults: list[Fault] = [*known]
    document = _read(path)
    if only:
        document["destinations"] = _chosen(document.get("destinations"), only, path)
    document = resolve_secrets(document, environ, faults)
    settings = _validate(document, kinds, faults)
    warehouses = [kind for kind in kinds if issubclass(kind, WarehouseSettings) and not kind.is_archive]
    faults += cross_check(document, [kind.model_fields["type"].default for kind in warehouses])
    if settings is None or faults:
        lines = "".join(f"\n  {key}: {fault}" for key, fault in faults)
        raise ConfigError(f"{path} has {len(faults)} fault{'s' if len(faults) > 1 else ''}:{lines}")
    return settings


def settings_model(kinds: Sequence[type[DestinationSettings]]) -> type[Settings]:
    """`Settings` whose destinations are of these kinds, told apart by `type`."""
    if not kinds:
        return Settings
    union: Any = reduce(or_, kinds)
    destination: Any = union if len(kinds) == 1 else Annotated[union, Field(discriminator="type")]
    destinations = dict[Name, destination]
    return create_model("Settings", __base__=Settings, destinations=(destinations, {}))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", hint="write a first one with `headwater init`") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def _chosen(destinations: Any, name: str, path: Path) -> dict[str, Any]:
    """Raises ConfigError where there is none of that name."""
    named = destinations if isinstance(destinations, dict) else {}
    if name not in named:
        hint = f"there are {', '.join(named)}" if named else "add one"
        raise ConfigError(f'no destination "{name}" is in {path}', hint=hint)
    asked = named[name].get("stitch") if isinstance(named[name], dict) else None
    return {each: table for each, table in named.items() if each in (name, asked)}


def _validate(
    document: dict[str, Any], kinds: Sequence[type[DestinationSettings]], faults: list[Fault]
) -> Settings | None:
    model = settings_model(kinds)
    unresolved = {key for key, _ in faults}
    try:
        return model.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        if any(key.startswith("plugins.") for key in unresolved):  # which may be the kind that is missing
            details = [detail for detail in details if detail["type"] != "union_tag_invalid"]
        found = [describe(dict(detail), kinds) for detail in details]
        faults += [fault for fault in found if fault[0] not in unresolved]
        return None
