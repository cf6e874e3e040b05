"""Every kind of destination that a configuration may name: the package's own, those of packages installed beside it,
and the owner's files.

A package offers kinds by entry points of the group `headwater.destinations`. A file is named by `plugins.destinations`
and holds a `DESTINATION`. Either is the owner's code and runs in the daemon: it is loaded before the configuration is
read, since it says what its settings are.
"""

import importlib.util
import sys
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from gateway.config import DestinationSettings, Settings, load_settings
from gateway.config.code import CodeFile, read_destination
from gateway.config.faults import Fault
from gateway.deliver.plans import KindTable
from gateway.destinations import DESTINATIONS, Destination
from gateway.model.errors import ConfigError
from gateway.transforms.host import told
from gateway.warehouses.contract import WarehouseKind
from gateway.warehouses.registry import WAREHOUSES

GROUP = "headwater.destinations"
CONSTANT = "DESTINATION"


class Kinds(NamedTuple):
    """Tools and warehouses."""

    tools: Sequence[Destination[Any]]
    warehouses: Sequence[WarehouseKind[Any]]

    def table(self) -> KindTable:
        """By the class of their settings."""
        tools = {kind.settings: kind for kind in self.tools}
        return KindTable(tools, {kind.settings: kind for kind in self.warehouses})

    def settings(self) -> list[type[DestinationSettings]]:
        """What each adds to the configuration."""
        return [*(kind.settings for kind in self.tools), *(kind.settings for kind in self.warehouses)]


class Configuration(NamedTuple):
    """Settings, and the kinds that they are of."""

    settings: Settings
    kinds: Kinds


def read_configuration(path: Path, environ: Mapping[str, str], only: str = "") -> Configuration:
    """The configuration at `path`; of its destinations `only` one, if it is said, and those that it names.

    Raises ConfigError with every fault in it.
    """
    faults: list[Fault] = []
    kinds = kinds_for(path, faults)
    settings = load_settings(path, kinds.settings(), environ, faults, only)
    categories = {kind.settings: kind.category for kind in kinds.tools}
    for name, destination in settings.destinations.items():
        if destination.consent_required and not (destination.consent or categories.get(type(destination))):
            key, hint = f"destinations.{name}.consent_required", 'add consent = ["marketing"], or whatever you ask for'
            raise ConfigError(f"{path}: {key}: this kind asks for no consent by itself", hint=hint)
    return Configuration(settings, kinds)


def kinds_for(path: Path, faults: list[Fault]) -> Kinds:
    """The kinds that the configuration at `path` may name; what is wrong with the owner's files is added to `faults`.

    Raises ConfigError where a package cannot be loaded.
    """
    found = [_of_package(point) for point in entry_points(group=GROUP)]
    for place, value in enumerate(_plugins(path)):
        try:
            found.append(load_destination(read_destination(value)))
        except ValueError as error:
            faults.append((f"plugins.destinations.{place}", str(error)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - told to the owner, whatever the file does
            faults.append((f"plugins.destinations.{place}", f"{value}: {'; '.join(told(error).splitlines())}"))
    types = {kind.type for kind in DESTINATIONS} | {
        str(each.settings.model_fields["type"].default) for each in WAREHOUSES
    }
    for kind in found:
        if kind.type in types:
            raise ConfigError(f'there are two kinds of destination with type "{kind.type}"', hint="rename yours")
        types.add(kind.type)
    return Kinds((*DESTINATIONS, *found), WAREHOUSES)


def load_destination(code: CodeFile) -> Destination[Any]:
    """The `DESTINATION` of a file. The same version of a file is loaded once. Raises whatever the file does."""
    name = f"headwater_plugin_{code.path.stem}_{code.digest}"
    module = sys.modules.get(name) or _module(name, code.path)
    destination = getattr(module, CONSTANT)
    if not isinstance(destination, Destination):
        raise TypeError(f"{CONSTANT} is a {type(destination).__name__} and not a gateway.destinations.Destination")
    settings: Any = destination.settings
    if not (isinstance(settings, type) and issubclass(settings, DestinationSettings)):
        raise TypeError("its settings must be a class derived from gateway.config.DestinationSettings")
    if not isinstance(settings.model_fields["type"].default, str):
        raise TypeError(f'{settings.__name__} must have its name as type: Literal["NAME"] = "NAME"')
    return destination


def _plugins(path: Path) -> Sequence[Any]:
    """What the file says, if it says it well; whatever is wrong with it is reported when it is read as a whole."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    section = document.get("plugins")
    listed = section.get("destinations") if isinstance(section, dict) else None
    return listed if isinstance(listed, list) else ()


def _of_package(point: EntryPoint) -> Destination[Any]:
    try:
        destination = point.load()
    except Exception as error:
        raise ConfigError(
            f"the package of {point.value} cannot be loaded: {error}", hint="mend or remove it"
        ) from error
    if not isinstance(destination, Destination):
        raise ConfigError(f"{point.value} is not a gateway.destinations.Destination", hint="mend or remove the package")
    return destination


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(path.parent))
    return module
