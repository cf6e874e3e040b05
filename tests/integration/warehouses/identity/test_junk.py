"""The views' SQL and the model agree on what names nobody."""

import duckdb
import pytest

from gateway.model.junk import is_junk
from gateway.warehouses.duckdb.identity import views


@pytest.mark.parametrize("blocklist", [(), ("test", "it's")])
def test_sql_and_python_agree_on_what_names_nobody(blocklist: tuple[str, ...]):
    words = [
        "",
        " ",
        "NULL",
        " null\t",
        "0",
        "-1",
        "-10",
        "0-0",
        "00000000-0000-0000-0000-000000000000",
        "[object Object]",
    ]
    words += [
        "x[object Object]y",
        "Anonymous",
        "test",
        " TEST ",
        "it's",
        "u1",
        "a" * 512,
        "a" * 513,
        "ä" * 512,
        "\u00a0none\u2003",
    ]
    words += [
        "ann@shop.example",
        "none of us",
        "-",
        "--",
        "\x1cnull\x1f",
        "\u200bnull",
        "İ",
        "True",
        "false",
        "na",
        "N/A",
    ]
    with duckdb.connect() as connection:
        for word in words:
            ((said,),) = connection.execute(f"select {views.is_junk('$1', blocklist)}", [word]).fetchall()
            assert said == is_junk(word, blocklist), repr(word)
