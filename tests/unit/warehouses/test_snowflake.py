"""Snowflake's questions, and what its driver's absence says."""

import sys

import pytest

from gateway.model.errors import WarehouseError
from gateway.warehouses.snowflake import SnowflakeSettings, question
from gateway.warehouses.snowflake.warehouse import connect


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "  SELECT 1",
        "(select 1)",
        "with a as (select 1) select * from a",
        "-- how many\nselect 1",
        "// how many\nselect 1",
        "/* how\nmany */ select 'a ; b'",
        "show tables",
        "describe table tracks",
        "explain select 1",
        "select properties:total, transform(a, x -> x + 1) from tracks",
    ],
)
def test_a_question_reads(sql: str):
    question.check(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into tracks select * from tracks",
        "drop table tracks",
        "call own()",
        "execute immediate 'drop table tracks'",
        "begin delete from tracks; end",
        "commit",
        "truncate tracks",
        "/* select */ delete from tracks",
        "-- select\nupdate tracks set id = ''",
        "selected",
        "",
        "show tables ->> drop table tracks",
        "select 1 ->> insert into tracks (id) select $1 from $1",
    ],
)
def test_whatever_else_is_refused(sql: str):
    with pytest.raises(WarehouseError, match="a question"):
        question.check(sql)


def test_a_missing_driver_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "snowflake", None)
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)
    monkeypatch.delitem(sys.modules, "gateway.warehouses.snowflake.session", raising=False)
    monkeypatch.delitem(sys.modules, "gateway.warehouses.snowflake.connection", raising=False)

    with pytest.raises(
        WarehouseError, match=r"is not installed: snowflake.connector .pip install 'headwater\[snowflake\]'"
    ):
        connect(SnowflakeSettings.model_construct())
