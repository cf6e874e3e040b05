"""What no single key can show: references between sections.

Works on the plain document, since it must find its faults even where others keep the settings from being built.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from gateway.config.faults import Fault
from gateway.config.section import Section
from gateway.config.settings import AdminSettings, DemoSettings, ScriptSettings, ServerSettings
from gateway.config.spelling import did_you_mean


def cross_check(document: Mapping[str, Any], warehouse_types: Collection[str]) -> list[Fault]:
    """The faults between the sections of `document`, which need not be valid otherwise."""
    checks = (_shared_write_keys, _unknown_sources, _rules_in_vain, _demo_without_parts, _shared_listener)
    faults = [fault for check in checks for fault in check(document)]
    return [*faults, *_unknown_warehouses(document, warehouse_types)]


def _shared_write_keys(document: Mapping[str, Any]) -> Iterator[Fault]:
    owner_of: dict[str, str] = {}
    for name, source in _tables(document.get("sources")).items():
        for index, key in enumerate(_texts(source.get("write_keys"))):
            owner = owner_of.setdefault(key, name)
            if owner != name:
                yield f"sources.{name}.write_keys.{index}", f'source "{owner}" has the same key; draw another'


def _unknown_sources(document: Mapping[str, Any]) -> Iterator[Fault]:
    known = _table(document.get("sources"))
    asking = {f"destinations.{name}": each for name, each in _tables(document.get("destinations")).items()}
    for path, table in {**asking, **dict(_matches(document))}.items():
        for index, source in enumerate(_texts(table.get("sources"))):
            if source not in known:
                yield f"{path}.sources.{index}", _no_source(source, known)


def _rules_in_vain(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Rules about what nothing adds to events."""
    enrich = _table(document.get("enrich"))
    for path, match in _matches(document):
        if match.get("countries") and not enrich.get("geo"):
            yield f"{path}.countries", _IN_VAIN.format("enrich.geo", "a country", "context.location.country")
        if "bots" in match and enrich.get("bots") is not True:
            yield f"{path}.bots", _IN_VAIN.format("enrich.bots", "context.bot", "context.bot")


def _matches(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the rules of all destinations say of events, each with its path."""
    for name, destination in _tables(document.get("destinations")).items():
        rules = destination.get("rules")
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            for key, match in _tables(rule).items():
                yield f"destinations.{name}.rules.{index}.{key}", match


def _unknown_warehouses(document: Mapping[str, Any], warehouse_types: Collection[str]) -> Iterator[Fault]:
    destinations = _tables(document.get("destinations"))
    warehouses = {name for name, destination in destinations.items() if destination.get("type") in warehouse_types}
    for name, destination in destinations.items():
        warehouse = destination.get("stitch")
        if isinstance(warehouse, str) and warehouse and warehouse not in warehouses:
            meant = did_you_mean(warehouse, warehouses)
            yield f"destinations.{name}.stitch", f'there is no warehouse "{warehouse}" among the destinations{meant}'


def _demo_without_parts(document: Mapping[str, Any]) -> Iterator[Fault]:
    if _value(document, "demo", "enabled", DemoSettings()) is not True:
        return
    source = _value(document, "demo", "source", DemoSettings())
    if isinstance(source, str) and source not in _table(document.get("sources")):
        yield "demo.source", _no_source(source, _table(document.get("sources")))
    if _value(document, "script", "enabled", ScriptSettings()) is False:
        yield "script.enabled", "the demo uses the script; set it to true, or demo.enabled to false"


def _shared_listener(document: Mapping[str, Any]) -> Iterator[Fault]:
    public = _value(document, "server", "listen", ServerSettings())
    if public == _value(document, "admin", "listen", AdminSettings()) and not str(public).endswith(":0"):
        yield "admin.listen", "is also server.listen; give the operator's listener an address of its own"


_IN_VAIN = "no event has {1} without {0}; set that, or ask by where for a {2} that clients send themselves"


def _no_source(name: str, known: Collection[str]) -> str:
    meant = did_you_mean(name, known)
    return f'there is no source "{name}"{meant or f"; add [sources.{name}] or correct the name"}'


def _value(document: Mapping[str, Any], section: str, key: str, default: Section) -> Any:
    return _table(document.get(section)).get(key, getattr(default, key))


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _tables(value: Any) -> dict[str, dict[str, Any]]:
    return {name: table for name, table in _table(value).items() if isinstance(table, dict)}


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
