"""Loads and stagings take turns."""

import time
from concurrent.futures import ThreadPoolExecutor

from gateway.warehouses.duckdb.turns import Turns


def test_a_load_that_waits_comes_before_a_staging_that_waited_longer():
    turns, order = Turns(), list[str]()

    def stage() -> None:
        with turns.stage():
            order.append("stage")

    def load() -> None:
        with turns.load():
            order.append("load")

    with ThreadPoolExecutor(2) as threads:
        with turns.stage():
            staging, loading = threads.submit(stage), threads.submit(load)
            while not turns.waiting_loads:
                time.sleep(0.001)
            assert order == []
        staging.result()
        loading.result()

    assert order == ["load", "stage"]
