"""A page that pinned the script of an earlier release still finds it after an upgrade."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.script import Asset, Assets, javascript, load_assets, with_former
from gateway.script.archive import MAX_FILES

THIS = load_assets()


def release(number: int) -> Assets:
    """A release with a core of its own and the same modules."""
    return replace(THIS, immutable=javascript(b"core %d" % number))


def upgraded(directory: Path, number: int) -> Assets:
    """What is served once release `number` has started; each starts an hour after the one before."""
    assets = with_former(release(number), directory)
    for file in directory.iterdir():
        stat = file.stat()
        os.utime(file, (stat.st_atime - 3600, stat.st_mtime - 3600))
    return assets


def test_the_first_release_has_no_former_one(tmp_path: Path):
    assert upgraded(tmp_path / "new" / "script", 1).former == {}


def test_the_core_of_the_release_before_goes_on_being_served(tmp_path: Path):
    upgraded(tmp_path, 1)
    pinned = release(1).immutable

    former = upgraded(tmp_path, 2).former

    assert former == {pinned.file_name: pinned}


def test_a_restart_of_the_same_release_changes_nothing(tmp_path: Path):
    upgraded(tmp_path, 1)
    first = upgraded(tmp_path, 2)

    assert upgraded(tmp_path, 2).former == first.former


def test_only_the_newest_are_kept(tmp_path: Path):
    for number in range(MAX_FILES + 10):
        former = upgraded(tmp_path, number).former

    kept = [number for number in range(MAX_FILES + 10) if release(number).immutable.file_name in former]
    assert kept == list(range(MAX_FILES + 10 - len(kept) - 1, MAX_FILES + 9))
    assert len(list(tmp_path.iterdir())) <= MAX_FILES


@pytest.mark.parametrize("content", [b"", b"not what the name says", b"x" * (2**20 + 1)])
def test_a_file_that_is_not_what_its_name_says_is_not_served(tmp_path: Path, content: bytes):
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "0123456789abcdef.js").write_bytes(content)
    (tmp_path / "README").write_text("not ours")

    assert upgraded(tmp_path, 1).former == {}
    assert (tmp_path / "README").exists()


def test_what_is_served_is_compressed_like_everything_else(tmp_path: Path):
    upgraded(tmp_path, 1)

    (former,) = upgraded(tmp_path, 2).former.values()

    assert isinstance(former, Asset)
    assert len(former.brotli) > 0
    assert former.etag == release(1).immutable.etag
