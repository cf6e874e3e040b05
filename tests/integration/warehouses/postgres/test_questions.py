"""Questions beside whoever changes the tables that they are about."""

import asyncio

import psycopg

from tests.integration.warehouses.support.places.place import Place


async def test_a_question_that_two_gateways_stand_in_the_way_of_is_asked_once_more(place: Place):
    server = {"host": place.settings["host"], "dbname": "postgres", "user": "headwater"}
    options = f"-c search_path={place.settings['schema']}"
    async with place.open() as warehouse:
        with psycopg.connect(**server, options=options) as other:
            other.execute("lock table tracks in access exclusive mode")
            question = asyncio.create_task(
                warehouse.query("select (select count(*) from pages), (select count(*) from tracks)", 1, 30)
            )
            await asyncio.sleep(0.3)  # it holds pages, and waits for tracks
            await asyncio.to_thread(other.execute, "lock table pages in access exclusive mode")
            other.rollback()
            answer = await question

    assert answer.rows == [(0, 0)]
