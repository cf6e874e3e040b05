"""Which files of the script are where, and what each tells the script about its source."""

import json
import re
from typing import Any

import pytest

from gateway.collect.script_files import FEATURES, loader, pinned_attributes, places, script_files
from gateway.config import Settings
from gateway.script import Asset, Assets, load_assets

FILES = load_assets()
LINKER = {"linker_hosts": ["b.example"], "linker_secret": "s"}
CHUNK_FILES = {asset.file_name for asset in FILES.chunks.values()}


def make_settings(browser: dict[str, Any] | None = None, **sections: Any) -> Settings:
    """Two sources: `web`, whose pages are told `browser`, and `app`."""
    sources = {"web": {"write_keys": ["w1", "w2"], "browser": browser or {}}, "app": {"write_keys": ["a1"]}}
    return Settings.model_validate({"sources": sources, "script": {"path": "/x9", "name": "q"}} | sections)


def site_of(asset: Asset, build: str = "core") -> dict[str, Any]:
    """The settings that a loader calls its build with."""
    call = asset.body.removeprefix(FILES.builds[build])
    assert call != asset.body, "not this build"
    site: dict[str, Any] = json.loads(call.strip().removeprefix(b"(").removesuffix(b");"))
    return site


def site(browser: dict[str, Any] | None = None, source: str = "web", **sections: Any) -> dict[str, Any]:
    settings = make_settings(browser, **sections)
    return site_of(loader(settings, FILES, source, places(settings.script)[0]))


def test_each_source_has_a_file_and_the_first_has_the_short_address():
    files = script_files(make_settings(), FILES, "/x9/q")

    assert set(files) == {"/x9/q.js", "/x9/web/q.js", "/x9/app/q.js"} | {
        f"/x9/{name}" for name in (FILES.immutable.file_name, *CHUNK_FILES)
    }
    assert files["/x9/q.js"] is files["/x9/web/q.js"]
    assert files["/x9/q.js"] is not files["/x9/app/q.js"]


def test_former_addresses_have_it_all_and_pages_that_know_them_stay_there():
    settings = make_settings(script={"path": "/x9", "name": "q", "former": ["/js/headwater", "/deep/er/name"]})

    assert places(settings.script) == ("/x9/q", "/js/headwater", "/deep/er/name")
    files = script_files(settings, FILES, "/deep/er/name")
    assert {"/deep/er/name.js", "/deep/er/app/name.js", f"/deep/er/{FILES.immutable.file_name}"} <= set(files)
    assert site_of(loader(settings, FILES, "web", "/deep/er/name"))["endpoint"] == "/deep/er/name"


def test_a_source_of_defaults_is_told_its_key_and_where_to_send():
    told = site()

    assert told["writeKey"] == "w1"
    assert told["endpoint"] == "/x9/q"
    assert set(told) == {"writeKey", "endpoint", "downloads", "clickIds"}
    assert "|pdf|" in f"|{told['downloads']}|"
    assert "|gclid|" in f"|{told['clickIds']}|"
    assert site(source="app")["writeKey"] == "a1"


def test_everything_is_below_the_prefix():
    told = site({"vitals": True}, server={"path_prefix": "/u7k2"})

    assert told["endpoint"] == "/u7k2/x9/q"
    assert told["chunks"] == [f"/u7k2/x9/{FILES.chunks['vitals'].file_name}"]


@pytest.mark.parametrize(("setting", "word"), FEATURES.items())
def test_what_is_switched_off_is_named_in_one_word(setting: str, word: str):
    assert site({setting: [] if setting == "downloads" else False})["off"] == word


def test_several_words_are_one_text():
    told = site({"page_views": False, "forms": False, "query_calls": True, "dnt": True})

    assert (told["off"], told["on"]) == ("page forms", "query dnt")


def test_no_word_is_part_of_another():
    words = FEATURES.values()

    assert not [(word, other) for word in words for other in words if word != other and word in other], (
        "the script looks for a word in the text"
    )


def test_words_and_settings_are_those_that_the_script_knows():
    source = FILES.builds["core"].decode()

    for word in FEATURES.values():
        assert re.search(f'"{word}"', source), word
    told = site({"mode": "consent", "own_hosts": ["c.example"], "dnt": True, "forms": False, "vitals": True, **LINKER})
    assert [key for key in told if key != "linkerHosts" and not re.search(rf"\.{key}\b|\b{key}:", source)] == []


@pytest.mark.parametrize(
    ("browser", "chunks"),
    [
        ({}, []),
        ({"vitals": True}, ["vitals"]),
        ({"errors": True}, ["errors"]),
        (LINKER, ["linker"]),
        ({"vitals": True, "errors": True, **LINKER}, ["vitals", "errors", "linker"]),
    ],
)
def test_parts_that_load_later_are_named_where_they_are_wanted(browser: dict[str, Any], chunks: list[str]):
    assert site(browser).get("chunks", []) == [f"/x9/{FILES.chunks[name].file_name}" for name in chunks]


def test_the_cookies_domain_and_linked_hosts_are_no_referrers():
    told = site({"cookie_domain": "a.example", "own_hosts": ["pay.example"], **LINKER})

    assert told["ownHosts"].split() == ["a.example", "pay.example", "b.example"]
    assert told["linkerHosts"].split() == ["b.example"]


def test_the_linkers_secret_stays_at_home():
    settings = make_settings(LINKER | {"linker_secret": "top-secret"})

    assert b"top-secret" not in loader(settings, FILES, "web", "/x9/q").body
    assert "top-secret" not in str(pinned_attributes(settings, "web"))


@pytest.mark.parametrize(("mode", "told"), [("full", None), ("cookieless", "cookieless"), ("consent", "consent")])
def test_the_mode_is_told_unless_it_is_the_usual_one(mode: str, told: str | None):
    assert site({"mode": mode}).get("mode") == told


def test_the_small_build_is_told_no_more_than_it_understands():
    settings = make_settings({"build": "lite", "mode": "cookieless", "forms": False, "vitals": True, "dnt": True})

    told = site_of(loader(settings, FILES, "web", "/x9/q"), "lite")

    assert told == {"writeKey": "w1", "endpoint": "/x9/q", "mode": "cookieless"}


def test_a_pinned_tag_says_the_same_in_attributes():
    settings = make_settings({"own_hosts": ["pay.example"], "forms": False}, server={"path_prefix": "/u7k2"})

    attributes = pinned_attributes(settings, "web")

    assert attributes["data-write-key"] == "w1"
    assert attributes["data-endpoint"] == "/u7k2/x9/q"
    assert (attributes["data-off"], attributes["data-own-hosts"]) == ("forms", "pay.example")
    assert len(attributes) == len(site({"own_hosts": ["pay.example"], "forms": False}))


def test_files_that_never_change_have_an_address_that_does():
    other = Assets(FILES.builds, FILES.chunks, loader(make_settings(), FILES, "web", "/x9/q"), FILES.demo, "")

    assert set(script_files(make_settings(), FILES, "/x9/q")) != set(script_files(make_settings(), other, "/x9/q"))
