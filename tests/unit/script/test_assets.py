"""The script's files as a server hands them out."""

import base64
import gzip
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.script import Asset, Assets, load_assets

NODE = shutil.which("node")
SITE = {"endpoint": "/hw/v1/b", "writeKey": 'it\'s "quoted" \u2028 </script>'}
CORE_BROTLI_LIMIT_BYTES = 4_500
SNIPPET_GZIP_LIMIT_BYTES = 350


@pytest.fixture(scope="module")
def assets() -> Assets:
    return load_assets()


def unbrotli(body: bytes) -> bytes:
    """Node's own decoder: none of ours."""
    assert NODE, "node is needed to check the Brotli streams"
    script = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"
    return subprocess.run([NODE, "-e", script], input=body, capture_output=True, check=True).stdout


def test_the_loader_is_the_core_called_with_the_sites_settings(assets: Assets):
    body = assets.loader(SITE).body

    assert body.startswith(assets.core)
    assert json.loads(body.removeprefix(assets.core).strip().removeprefix(b"(").removesuffix(b");")) == SITE
    assert body.isascii(), "no character may be read differently in another encoding"


def test_every_encoding_of_the_script_says_the_same(assets: Assets):
    for asset in (assets.immutable, assets.loader(SITE)):
        assert gzip.decompress(asset.gzip) == asset.body
        assert asset.brotli is not None
        assert unbrotli(asset.brotli) == asset.body


def test_settings_that_do_not_fit_one_block_are_refused(assets: Assets):
    with pytest.raises(ValueError, match="at most 65536 fit"):
        assets.loader({"writeKey": "x" * 70_000})


def test_names_and_hashes_follow_the_content(assets: Assets):
    body = assets.immutable.body

    assert assets.immutable_name == f"headwater-{hashlib.sha256(body).hexdigest()[:16]}.js"
    assert assets.integrity == "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()


def test_etags_are_strong_and_differ_with_the_content(assets: Assets):
    etags = {assets.immutable.etag, assets.loader(SITE).etag, assets.loader({}).etag}

    assert len(etags) == 2, "a loader without settings is the immutable file"
    assert all(etag.startswith('"') and etag.endswith('"') for etag in etags)
    assert assets.loader(SITE) == assets.loader(dict(reversed(SITE.items())))


def test_the_demo_is_complete_and_typed(assets: Assets):
    demo: dict[str, Asset] = dict(assets.demo)
    page = demo[""].body.decode()

    assert demo[""].content_type == "text/html; charset=utf-8"
    assert {name for name in demo if f'"{name}"' in page} >= {"shop.css", "shop.js", "mark.svg"}
    assert demo["mug.svg"].content_type == "image/svg+xml"
    assert 'headwater sql "select event, count(*) from tracks group by 1"' in page


def test_the_script_stays_small(assets: Assets):
    assert len(assets.core_brotli) <= CORE_BROTLI_LIMIT_BYTES
    assert len(gzip.compress(assets.snippet.encode(), 9)) <= SNIPPET_GZIP_LIMIT_BYTES


def test_the_documentation_shows_the_snippet_that_is_built(assets: Assets):
    documentation = Path(__file__).parents[3] / "docs" / "script.md"

    assert assets.snippet in documentation.read_text()
