"""Caddy takes the shipped files as they are."""

import os
import subprocess
from pathlib import Path

import pytest

CADDYFILES = sorted((Path(__file__).parents[3] / "configs/caddy").iterdir())


@pytest.mark.parametrize("file", CADDYFILES, ids=lambda file: file.stem)
def test_the_file_is_valid_and_formatted(file: Path, tmp_path: Path) -> None:
    environ = os.environ | {"HOME": str(tmp_path)}
    validate = ["caddy", "validate", "--adapter", "caddyfile", "--config", file]

    validated = subprocess.run(validate, check=False, capture_output=True, text=True, env=environ)
    formatted = subprocess.run(["caddy", "fmt", file], check=False, capture_output=True, text=True, env=environ)

    assert validated.returncode == 0, validated.stderr
    assert "Valid configuration" in validated.stdout + validated.stderr
    assert formatted.stdout == file.read_text()
