"""Files of the owner's own Python, as far as the configuration looks at them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.config import SourceSettings


def source(path: Path | str) -> SourceSettings:
    return SourceSettings(write_keys=("k",), transforms=(path,))


def test_a_version_of_a_file_is_told_from_another_by_what_is_in_it(tmp_path: Path):
    path = tmp_path / "t.py"
    path.write_text("async def transform(event):\n    return event\n")
    first = source(path)
    again = source(path)
    path.write_text("async def transform(event):\n    return None\n")

    assert first == again
    assert first != source(path)


def test_a_file_that_it_may_import_makes_another_version_of_it(tmp_path: Path):
    path, helper = tmp_path / "t.py", tmp_path / "prices.py"
    path.write_text("from prices import VAT\n\n\nasync def transform(event):\n    return event\n")
    helper.write_text("VAT = 1.19\n")
    first = source(path)
    helper.write_text("VAT = 1.20\n")

    assert first != source(path)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def transform(event):\n    return event\n", "async def transform"),
        ("async def other(event):\n    return event\n", "async def transform"),
        ("async def transform():\n    return None\n", "one argument"),
        ("async def transform(event)\n    return event\n", "is not Python"),
        ("\0", "is not Python"),
    ],
)
def test_a_file_that_is_no_transform_is_refused_in_words(tmp_path: Path, code: str, words: str):
    path = tmp_path / "t.py"
    path.write_text(code)

    with pytest.raises(ValidationError, match=words):
        source(path)


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path):
    with pytest.raises(ValidationError, match="No such file"):
        source(tmp_path / "missing.py")
