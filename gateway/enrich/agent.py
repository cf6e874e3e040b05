"""The browser, system and device of a User-Agent header, and of the client hints that go with it.

Browsers freeze most of the header and say the rest in client hints (User-Agent Client Hints, WICG), so hints win where
both speak.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import ua_parser

_PHONES = ("iPhone", "Generic Smartphone", "Generic Feature Phone")
_TABLETS = ("iPad", "Generic Tablet", "Kindle")
_TELEVISIONS = ("AppleTV", "Chromecast", "BRAVIA", "Roku", "SmartTV")
_SPIDER = "Spider"
_DESKTOPS = frozenset({"Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora", "Debian", "FreeBSD"})
_PLATFORMS = {"macOS": "Mac OS X"}
"""Client hints' names for systems, where the parser has others."""
_NO_BRAND = "Generic"
"""What the parser says where a device has no brand."""
_REDUCED_MODEL = "K"
"""What Android's reduced header says instead of a model."""


class Parser(Protocol):
    """Of the library."""

    def parse(self, ua: str, /) -> ua_parser.Result:
        """All that is known of a header."""
        ...


def open_parser() -> Parser:
    """The library's parser, without a cache of its own."""
    from ua_parser import Parser, load_builtins  # noqa: PLC0415 - megabytes of patterns
    from ua_parser.regex import Resolver  # noqa: PLC0415

    return Parser(Resolver(load_builtins()))


def describe_agent(header: str, hints: Mapping[str, Any], parser: Parser) -> dict[str, dict[str, Any]]:
    """`browser`, `os` and `device` as they go into `context`; what is not known is left out."""
    found = parser.parse(header)
    agent, system, device = found.user_agent, found.os, found.device
    browser = {"name": agent.family, "version": _version(agent.major, agent.minor)} if agent else {}
    platform = {"name": system.family, "version": _version(system.major, system.minor)} if system else {}
    brand = device.brand if device and device.brand and not device.brand.startswith(_NO_BRAND) else None
    model = device.model if device and device.model != _REDUCED_MODEL else None
    described = {
        "browser": browser | _hinted_browser(hints),
        "os": platform | _hinted_system(hints),
        "device": {
            "type": _device_type(header, found, hints),
            "manufacturer": brand,
            "model": hints.get("model") or model,
        },
    }
    return {key: known for key, table in described.items() if (known := _known(table))}


def _device_type(header: str, found: ua_parser.Result, hints: Mapping[str, Any]) -> str | None:
    family = found.device.family if found.device else ""
    system = found.os.family if found.os else ""
    if family == _SPIDER:
        return "bot"
    if family.startswith(_TELEVISIONS) or "SmartTV" in header:
        return "tv"
    if family.startswith(_TABLETS) or (system == "Android" and "Mobile" not in header):
        return "tablet"
    if family.startswith(_PHONES) or hints.get("mobile") is True or system in {"Android", "iOS"}:
        return "mobile"
    return "desktop" if system in _DESKTOPS else None


def _hinted_browser(hints: Mapping[str, Any]) -> dict[str, Any]:
    """The brand that is neither made up, as one always is, nor the engine."""
    brands = hints.get("fullVersionList") or hints.get("brands")
    for each in brands if isinstance(brands, list) else ():
        name = each.get("brand") if isinstance(each, Mapping) else None
        if isinstance(name, str) and name != "Chromium" and "brand" not in name.lower():
            return {"name": name.removeprefix("Google "), "version": each.get("version")}
    return {}


def _hinted_system(hints: Mapping[str, Any]) -> dict[str, Any]:
    name = hints.get("platform")
    if not isinstance(name, str) or not name:
        return {}
    version = hints.get("platformVersion")
    return _known({"name": _PLATFORMS.get(name, name), "version": version if isinstance(version, str) else None})


def _version(*parts: str | None) -> str | None:
    return ".".join(part for part in parts if part) or None


def _known(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value}
