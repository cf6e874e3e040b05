"""The browser script by address: a loader for each source, which carries its settings, and files that never change."""

import re

from gateway.collect.static_files import IMMUTABLE, SHORT_LIVED, Serve, file_server
from gateway.config import BrowserSettings, ScriptSettings, Settings
from gateway.script import Asset, Assets

FEATURES = {
    "page_views": "page",
    "history": "history",
    "links": "links",
    "downloads": "downloads",
    "forms": "forms",
    "attributes": "attributes",
    "engagement": "engagement",
    "session": "session",
    "attribution": "attribution",
    "client_hints": "hints",
}
"""Settings that switch something off, and the script's word for it."""
REQUESTS = {"query_calls": "query", "dnt": "dnt"}
"""Settings that switch something on."""


def script_files(settings: Settings, assets: Assets, place: str) -> dict[str, Serve]:
    """What is served of a place: the first source's loader at `{place}.js`, each source's at
    `{folder}/{source}/{name}.js`, and all that they load beside them."""
    folder, _, name = place.rpartition("/")
    files = {
        f"{folder}/{asset.file_name}": file_server(asset, IMMUTABLE)
        for asset in (assets.immutable, *assets.chunks.values(), *assets.former.values())
    }
    for source in reversed(settings.sources):
        serve = file_server(loader(settings, assets, source, place), SHORT_LIVED)
        files[f"{folder}/{source}/{name}.js"] = files[f"{place}.js"] = serve
    return files


def places(script: ScriptSettings) -> tuple[str, ...]:
    """Where the script is: its address without `.js`, which is also where it sends to; the present one first."""
    return (f"{script.path}/{script.name}", *script.former)


def loader(settings: Settings, assets: Assets, source: str, place: str) -> Asset:
    """The script of a source."""
    browser = settings.sources[source].browser
    folder = settings.server.path_prefix + place.rpartition("/")[0]
    chunks = [f"{folder}/{assets.chunks[name].file_name}" for name in wanted_chunks(browser)]
    return assets.loader(_site(settings, source, place) | ({"chunks": chunks} if chunks else {}), browser.build)


def pinned_attributes(settings: Settings, source: str) -> dict[str, str]:
    """The same settings as attributes of a tag, for the file that has none. Its chunks are not to be had so."""
    site = _site(settings, source, places(settings.script)[0])
    return {f"data-{re.sub('[A-Z]', lambda upper: f'-{upper[0].lower()}', key)}": value for key, value in site.items()}


def _site(settings: Settings, source: str, place: str) -> dict[str, str]:
    described = {
        "writeKey": settings.sources[source].write_keys[0],
        "endpoint": f"{settings.server.path_prefix}{place}",
        **describe_site(settings.sources[source].browser),
    }
    return {key: value for key, value in described.items() if value}


def describe_site(browser: BrowserSettings) -> dict[str, str]:
    """A source's settings in the script's words; what is empty says nothing."""
    if browser.build == "lite":
        return {"mode": _mode(browser)}
    own = (browser.cookie_domain, *browser.own_hosts, *browser.linker_hosts)
    return {
        "mode": _mode(browser),
        "off": " ".join(word for key, word in FEATURES.items() if not getattr(browser, key)),
        "on": " ".join(word for key, word in REQUESTS.items() if getattr(browser, key)),
        "downloads": "|".join(browser.downloads),
        "clickIds": "|".join(browser.click_ids),
        "ownHosts": " ".join(filter(None, own)),
        "linkerHosts": " ".join(browser.linker_hosts),
    }


def wanted_chunks(browser: BrowserSettings) -> list[str]:
    """The parts that are loaded later."""
    if browser.build == "lite":
        return []
    wanted = {"vitals": browser.vitals, "errors": browser.errors, "linker": bool(browser.linker_hosts)}
    return [name for name, is_wanted in wanted.items() if is_wanted]


def _mode(browser: BrowserSettings) -> str:
    return "" if browser.mode == "full" else browser.mode
