"""The script's files as a server hands them out, and how large they may be."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator

import brotli
import pytest

from gateway.script import Asset, Assets, load_assets

SITE = {"endpoint": "/hw/js/q", "writeKey": 'it\'s "quoted" \u2028 </script>'}
CORE_BROTLI_LIMIT_BYTES = 4_500
LITE_BROTLI_LIMIT_BYTES = 1_200
SNIPPET_BROTLI_LIMIT_BYTES = 350


@pytest.fixture(scope="module")
def assets() -> Assets:
    return load_assets()


def every_asset(assets: Assets) -> Iterator[Asset]:
    yield assets.immutable
    yield from assets.chunks.values()
    yield from assets.demo.values()
    yield from (assets.loader(SITE, build) for build in assets.builds)


@pytest.mark.parametrize("build", ["core", "lite"])
def test_a_loader_is_a_build_called_with_the_sites_settings(assets: Assets, build: str):
    body = assets.loader(SITE, build).body

    assert body.startswith(assets.builds[build])
    call = body.removeprefix(assets.builds[build]).strip()
    assert json.loads(call.removeprefix(b"(").removesuffix(b");")) == SITE
    assert body.isascii(), "no character may be read differently in another encoding"


def test_every_encoding_of_a_file_says_the_same(assets: Assets):
    for asset in every_asset(assets):
        assert gzip.decompress(asset.gzip) == asset.body
        assert brotli.decompress(asset.brotli) == asset.body


def test_each_form_is_the_same_every_time():
    first, second = load_assets(), load_assets()

    assert first == second, "two daemons behind one name must not differ"
    assert first.loader(SITE) == second.loader(dict(reversed(SITE.items())))


def test_names_and_hashes_follow_the_content(assets: Assets):
    for asset in (assets.immutable, *assets.chunks.values()):
        assert asset.file_name == f"{hashlib.sha256(asset.body).hexdigest()[:16]}.js"
        assert asset.integrity == "sha384-" + base64.b64encode(hashlib.sha384(asset.body).digest()).decode()

    names = [asset.file_name for asset in (assets.immutable, *assets.chunks.values())]
    assert len(set(names)) == len(names) == 4


def test_etags_are_strong_and_differ_with_the_content(assets: Assets):
    etags = [asset.etag for asset in every_asset(assets)]

    assert all(re.fullmatch('"[0-9a-f]+"', etag) for etag in etags)
    assert len(set(etags)) == len(etags)
    assert assets.loader({}) == assets.immutable, "a loader without settings is the file that never changes"


def test_what_loads_later_is_a_module_that_starts(assets: Assets):
    assert set(assets.chunks) == {"vitals", "errors", "linker"}
    for chunk in assets.chunks.values():
        assert re.search(rb"export\{\w+ as start\}", chunk.body)
        assert chunk.content_type == "text/javascript; charset=utf-8"


def test_the_demo_is_complete_and_typed(assets: Assets):
    demo: dict[str, Asset] = dict(assets.demo)
    page = demo[""].body.decode()

    assert demo[""].content_type == "text/html; charset=utf-8"
    assert {name for name in demo if f'"{name}"' in page} >= {"shop.css", "shop.js", "mark.svg"}
    assert demo["mug.svg"].content_type == "image/svg+xml"
    assert 'headwater sql "select event, count(*) from tracks group by 1"' in page


def test_the_script_stays_small(assets: Assets):
    assert len(assets.immutable.brotli) <= CORE_BROTLI_LIMIT_BYTES
    assert len(assets.loader({}, "lite").brotli) <= LITE_BROTLI_LIMIT_BYTES
    assert len(brotli.compress(assets.snippet.encode())) <= SNIPPET_BROTLI_LIMIT_BYTES


def test_the_snippet_waits_to_be_filled_in(assets: Assets):
    assert assets.snippet.count("SCRIPT_URL") == assets.snippet.count("WRITE_KEY") == 1
