"""Redshift's COPY, and its views where PostgreSQL's would differ."""

from gateway.warehouses.redshift import RedshiftSettings
from gateway.warehouses.redshift.dialect import DIALECT
from gateway.warehouses.redshift.session import copy_statement
from gateway.warehouses.servers.dialect import NewTable, Pick

SETTINGS = RedshiftSettings(database="shop", user="headwater", staging="s3://shop-staging/rows/")


def test_a_file_is_copied_as_the_clusters_own_role():
    assert copy_statement(SETTINGS, "0a.json.gz", "tracks", ["id", "from"]) == (
        """copy "tracks" ("id", "from") from 's3://shop-staging/rows/0a.json.gz' iam_role default"""
        " format json 'auto' gzip timeformat 'auto' compupdate off statupdate off"
    )


def test_a_role_and_a_region_can_be_told():
    told = SETTINGS.model_copy(update={"iam_role": "arn:aws:iam::123456789012:role/staging", "region": "eu-west-1"})

    assert copy_statement(told, "0a.json.gz", "tracks", ["id"]) == (
        """copy "tracks" ("id") from 's3://shop-staging/rows/0a.json.gz'"""
        " iam_role 'arn:aws:iam::123456789012:role/staging' region 'eu-west-1'"
        " format json 'auto' gzip timeformat 'auto' compupdate off statupdate off"
    )


def test_tables_have_types_that_redshift_has():
    columns = dict(zip("abcdef", DIALECT.types.values(), strict=True))

    made = DIALECT.create(NewTable("t", "events", columns, frozenset(), ()))

    (statement,) = made
    assert statement == (
        'create table if not exists "t" ("a" boolean, "b" bigint, "c" double precision, "d" timestamp with time zone,'
        ' "e" character varying(65535), "f" super)'
    )


def test_the_latest_value_is_found_by_a_window():
    assert DIALECT.pick(Pick("[plan]", ["[timestamp]", "[id]"], is_latest=True, group="[user_id]")) == (
        "first_value(case when (true) and [plan] is not null then [plan] end) over (partition by [user_id]"
        " order by case when (true) and [plan] is not null then 0 else 1 end, [timestamp] desc, [id] desc"
        " rows between unbounded preceding and unbounded following)"
    )
