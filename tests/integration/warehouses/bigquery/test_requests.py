"""Requests whose answers are lost, and answers that say no."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.transport.requests import AuthorizedSession

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.bigquery import BIGQUERY
from gateway.warehouses.bigquery.staging import Staging
from gateway.warehouses.bigquery.warehouse import connect
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Store


class Losing:
    """Of the requests that a test is about, the answer to the first is lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, is_meant: Callable[[str, str, bytes], bool]) -> None:
        self.sent: list[tuple[str, int]] = []
        request = AuthorizedSession.request

        def send(session: Any, method: str, url: str, data: bytes | None = None, **named: Any) -> requests.Response:
            answer: requests.Response = request(session, method, url, data=data, **named)
            if is_meant(method, url, data or b""):
                self.sent.append((url, answer.status_code))
                if len(self.sent) == 1:
                    raise requests.ConnectionError("the answer was lost")
            return answer

        monkeypatch.setattr(AuthorizedSession, "request", send)


def opened(place: Place, **settings: Any) -> Any:
    return Place(place.kind, {**place.settings, **settings}).open()


async def test_a_load_job_that_is_asked_for_twice_is_run_once(store: Store, monkeypatch: pytest.MonkeyPatch):
    losing = Losing(monkeypatch, lambda method, url, _: method == "POST" and "/upload/" in url)

    loaded = await store.load(store.event(), store.event())

    assert [status for _, status in losing.sent[:2]] == [200, 409]
    assert loaded.rows == 2
    assert await store.rows("select count(*), count(distinct id) from tracks") == [(2, 2)]
    assert await store.one("select count(*) from _headwater_ids") == 2


async def test_so_is_the_script_that_stores_everything(store: Store, monkeypatch: pytest.MonkeyPatch):
    losing = Losing(monkeypatch, lambda _, __, body: b"begin transaction" in body)

    loaded = await store.load(store.event(), store.event())

    assert [status for _, status in losing.sent] == [200, 409]
    assert loaded.rows == 2
    assert await store.rows("select count(*), count(distinct id) from tracks") == [(2, 2)]


async def test_a_dataset_that_is_not_there_is_named_with_what_makes_it(place: Place):
    with pytest.raises(WarehouseError, match="bq mk --dataset --location=EU shop-events:nowhere"):
        async with opened(place, dataset="nowhere"):
            pass
    with pytest.raises(WarehouseError, match="the dataset nowhere of the project shop-events is not there"):
        BIGQUERY.probe(BIGQUERY.settings.model_validate({**place.settings, "dataset": "nowhere"}))


async def test_a_right_that_is_missing_is_named(place: Place):
    with pytest.raises(WarehouseError, match=r"grant roles/bigquery\.jobUser on the project shop-events and roles/big"):
        async with opened(place, dataset="forbidden"):
            pass
    with pytest.raises(WarehouseError, match=r"and roles/bigquery\.dataEditor on the dataset forbidden"):
        BIGQUERY.probe(BIGQUERY.settings.model_validate({**place.settings, "dataset": "forbidden"}))


async def test_credentials_that_are_none_are_said(place: Place, tmp_path: Path):
    key = tmp_path / "key.json"
    with pytest.raises(WarehouseError, match="the credentials cannot be read"):
        async with opened(place, credentials=str(key)):
            pass
    key.write_text("{}")
    with pytest.raises(WarehouseError, match="the credentials cannot be read"):
        async with opened(place, credentials=str(key)):
            pass


async def test_credentials_that_open_nothing_are_said(place: Place, tmp_path: Path):
    key = tmp_path / "key.json"
    key.write_text(json.dumps(service_account()))

    with pytest.raises(WarehouseError, match="the credentials give no access"):
        async with opened(place, credentials=str(key)):
            pass


def service_account() -> dict[str, str]:
    """Of a server that does not answer."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    unencrypted = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    return {
        "type": "service_account",
        "project_id": "shop-events",
        "client_email": "headwater@shop-events.iam.gserviceaccount.com",
        "private_key": pem.decode(),
        "token_uri": "http://127.0.0.1:1/token",
    }


async def test_a_server_that_is_not_there_is_named_and_tried_again_later(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.warehouses.bigquery.api.FIRST_PAUSE_S", 0)
    with pytest.raises(WarehouseError, match=r"BigQuery cannot be reached at http://127\.0\.0\.1:1"):
        async with opened(place, endpoint="http://127.0.0.1:1"):
            pass


async def test_a_check_of_the_configuration_makes_nothing(place: Place):
    settings = BIGQUERY.settings.model_validate(place.settings)

    BIGQUERY.probe(settings)

    asked = connect(settings)
    assert asked.stored() == {}
    asked.close()


async def test_rows_that_a_load_job_refuses_are_told_from_a_server_that_does(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no rows")
    add = Staging.add
    monkeypatch.setattr(Staging, "add", lambda staging, _, types: add(staging, broken, types))

    with pytest.raises(WarehouseRowError, match="BigQuery refuses these rows: invalid"):
        await store.load(store.event())
    asked = connect(BIGQUERY.settings.model_validate(place.settings))
    with pytest.raises(WarehouseError, match="BigQuery: Not found: Table") as refused:
        asked.fetch("select 1 from nowhere")
    assert "bq mk" not in refused.value.hint
    asked.close()


@pytest.mark.parametrize("sql", ["select 1; select 2", "delete from tracks where true", "create table a (b INT64)"])
async def test_a_question_is_one_select(store: Store, sql: str):
    with pytest.raises(WarehouseError, match=r"a question only reads, and this is [A-Z_]+"):
        await store.warehouse.query(sql, 10, 10)


async def test_an_answer_has_values_of_pythons_types(store: Store):
    [row] = await store.rows("select 1, 1.5, true, 'a', [1, 2], struct(1 as a, 'x' as b), date '2026-11-27', null")

    assert row == (1, 1.5, True, "a", [1, 2], {"a": 1, "b": "x"}, "2026-11-27", None)
