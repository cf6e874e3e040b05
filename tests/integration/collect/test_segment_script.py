"""Segment's script at the address that Segment's snippet asks for, once the operator has placed it."""

import gzip
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest

from gateway.collect.segment_script import MAX_BUNDLES, MAX_FILE_BYTES, ORIGIN, segment_script_files
from gateway.model.errors import ConfigError
from tests.integration.collect.support.gateway import Gateway, Serve

SCRIPT = b"/* Segment's script */\n"
Expand = Callable[[bytes], bytes]
PATH = "/analytics.js/v1/k/analytics.min.js"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "standalone.js"
    file.write_bytes(SCRIPT)
    return file


async def test_it_is_preceded_by_what_tells_it_where_it_came_from(serve: Serve, script: Path):
    gateway = await serve(script={"segment_script": script})

    answer = await gateway.request("GET", PATH)

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"].startswith("public, max-age=300")
    assert answer.body == ORIGIN + SCRIPT


@pytest.mark.parametrize(("coding", "expand"), [("br", brotli.decompress), ("gzip", gzip.decompress)])
async def test_it_is_compressed_as_the_browser_can_take_it(serve: Serve, script: Path, coding: str, expand: Expand):
    gateway = await serve(script={"segment_script": script})

    answer = await gateway.request("GET", PATH, Accept_Encoding=coding)

    assert answer.headers["content-encoding"] == coding
    assert expand(answer.body) == ORIGIN + SCRIPT


async def test_its_parts_are_where_it_looks_for_them(serve: Serve, script: Path):
    script.with_name("auto-track.bundle.0a1b.js").write_bytes(b"/* a part */")
    script.with_name("auto-track.bundle.0a1b.js.map").write_bytes(b"{}")
    gateway = await serve(script={"segment_script": script}, server={"path_prefix": "/e"})

    part = await gateway.request("GET", "/e/analytics-next/bundles/auto-track.bundle.0a1b.js")

    assert part.body == b"/* a part */"
    assert "immutable" in part.headers["cache-control"]
    assert (await gateway.request("GET", "/e/analytics-next/bundles/auto-track.bundle.0a1b.js.map")).status == 404
    assert (await gateway.request("GET", f"/e{PATH}")).status == 200


@pytest.mark.parametrize("path", [PATH, "/analytics-next/bundles/auto-track.bundle.0a1b.js"])
async def test_where_none_is_placed_there_is_none(gateway: Gateway, path: str):
    assert (await gateway.request("GET", path)).status == 404


async def test_a_key_that_no_source_has_gets_none(serve: Serve, script: Path):
    gateway = await serve(script={"segment_script": script})

    assert (await gateway.request("GET", "/analytics.js/v1/other/analytics.min.js")).status == 404


async def test_each_key_has_its_address(serve: Serve, script: Path):
    gateway = await serve(script={"segment_script": script}, sources={"web": {"write_keys": ["a", "b c/d"]}})

    for key in ("a", "b%20c%2Fd"):
        assert (await gateway.request("GET", f"/analytics.js/v1/{key}/analytics.min.js")).status == 200


def test_a_file_too_large_is_refused(script: Path):
    script.write_bytes(b" " * (MAX_FILE_BYTES + 1))

    with pytest.raises(ConfigError, match=r"script.segment_script: .* has more than"):
        segment_script_files(script, ["k"])


def test_a_folder_of_too_many_parts_is_refused(script: Path):
    for number in range(MAX_BUNDLES + 1):
        script.with_name(f"part.bundle.{number}.js").touch()

    with pytest.raises(ConfigError, match=r"put the script in a folder of its own"):
        segment_script_files(script, ["k"])
