"""`headwater check`: what it says of a file and its destinations, and what it leaves as it was."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main

SOURCE = '[sources.web]\nwrite_keys = ["web-key"]\n'
HOLDING = """
import duckdb, sys
held = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def checked(directory: Path, configuration: str) -> Result:
    file = directory / "headwater.toml"
    file.write_text(SOURCE + configuration)
    return CliRunner().invoke(main, ["check", str(file)])


def warehouse(path: Path) -> str:
    return f'[destinations.dw]\ntype = "duckdb"\npath = "{path}"\n'


def files_in(directory: Path) -> set[Path]:
    return {*directory.rglob("*")} - {directory / "headwater.toml"}


def test_a_database_that_is_yet_to_be_made_is_not_made(tmp_path: Path):
    archive = f'[destinations.raw]\ntype = "archive"\nurl = "{tmp_path}/archive/raw"\n'

    result = checked(tmp_path, warehouse(tmp_path / "data/deep/dw.duckdb") + archive)

    assert result.exit_code == 0, result.output
    assert files_in(tmp_path) == set()


def test_a_database_that_is_there_is_not_changed(tmp_path: Path):
    path = tmp_path / "dw.duckdb"
    duckdb.connect(path).execute("create table held as select 1").close()
    before = path.read_bytes()

    result = checked(tmp_path, warehouse(path))

    assert result.exit_code == 0, result.output
    assert (files_in(tmp_path), path.read_bytes()) == ({path}, before)


def test_a_database_that_the_daemon_has_open_is_no_trouble(tmp_path: Path):
    path = tmp_path / "dw.duckdb"
    command = [sys.executable, "-c", HOLDING, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        result = checked(tmp_path, warehouse(path))
        daemon.communicate()

    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("content", [b"", b"id,name\n" * 1000])
def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path, content: bytes):
    path = tmp_path / "people.csv"
    path.write_bytes(content)

    result = checked(tmp_path, warehouse(path))

    assert result.exit_code == 1
    assert f"destinations.dw: {path} is no DuckDB database (set path to another file" in result.output


def test_a_place_where_nothing_can_be_made_is_said(tmp_path: Path):
    (tmp_path / "note").write_text("a file")

    file = checked(tmp_path, warehouse(tmp_path / "note/dw.duckdb"))
    directory = checked(tmp_path, warehouse(tmp_path))
    archive = checked(tmp_path, f'[destinations.raw]\ntype = "archive"\nurl = "{tmp_path}/note/raw"\n')

    assert f"{tmp_path}/note is no directory" in file.output
    assert f"{tmp_path} is a directory (write the path of a file" in directory.output
    assert f"{tmp_path}/note is no directory" in archive.output
    assert {file.exit_code, directory.exit_code, archive.exit_code} == {1}


def test_a_destination_that_cannot_be_tried_is_named_with_the_reason(tmp_path: Path):
    result = checked(
        tmp_path,
        '[destinations.product]\ntype = "mixpanel"\ntoken = "t"\n'
        '[destinations.off]\ntype = "mixpanel"\ntoken = "t"\nenabled = false\n' + warehouse(tmp_path / "dw.duckdb"),
    )

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "destinations.product: not tried: its API has no request that tries a token without storing an event",
        f"{tmp_path}/headwater.toml has no fault, and every destination that was tried answers",
    ]
