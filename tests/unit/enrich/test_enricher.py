"""All enrichments together: what is added to an event's context, and what never is."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from gateway.config import EnrichSettings
from gateway.enrich import Enricher, open_enricher
from gateway.model.errors import ConfigError
from tests.vendors.events import seen
from tests.vendors.generated import EVENTS

BERLIN = {
    "country": {"iso_code": "DE"},
    "subdivisions": [{"iso_code": "BE", "names": {"en": "Land Berlin"}}],
    "city": {"names": {"de": "Berlin", "en": "Berlin"}},
    "postal": {"code": "10115"},
    "location": {"latitude": 52.5, "longitude": 13.4, "time_zone": "Europe/Berlin"},
}
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


@pytest.fixture(scope="session")
def geo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real database with two networks: one as MaxMind's have them, one as flat ones do."""
    path = tmp_path_factory.mktemp("geo") / "city.mmdb"
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    writer.insert_network(IPSet(["203.0.113.0/24"]), BERLIN)
    writer.insert_network(IPSet(["2001:db8::/32"]), {"country": "FR", "city": "Paris"})
    writer.to_db_file(str(path))
    return path


@pytest.fixture(scope="session")
def everything(geo: Path) -> Any:
    settings = EnrichSettings(user_agent=True, geo=geo, campaign=True, referrer=True, bots=True)
    with open_enricher(settings) as enricher:
        yield enricher


def event(**context: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": "m", "event": "E", "context": context}


def added(enricher: Enricher, **context: Any) -> dict[str, Any]:
    """The context afterwards, without what was there before."""
    after = enricher.enriched(event(**context))["context"]
    return {key: value for key, value in after.items() if key not in context}


def test_an_event_gets_what_can_be_known_of_it(everything: Enricher):
    found = added(
        everything,
        ip="203.0.113.9",
        userAgent=CHROME,
        page={"url": "https://shop.example/?utm_source=news", "referrer": "https://www.google.com/"},
    )

    assert found == {
        "browser": {"name": "Chrome", "version": "142.0"},
        "os": {"name": "Linux"},
        "device": {"type": "desktop"},
        "campaign": {"source": "news"},
        "referrer": {"type": "search", "name": "Google"},
        "location": {
            "country": "DE",
            "region": "BE",
            "city": "Berlin",
            "postalCode": "10115",
            "latitude": 52.5,
            "longitude": 13.4,
            "timezone": "Europe/Berlin",
        },
    }


def test_a_database_may_have_plain_texts(everything: Enricher):
    assert added(everything, ip="2001:db8::1") == {"location": {"country": "FR", "city": "Paris"}}


@pytest.mark.parametrize("ip", ["192.0.2.1", "", "not an address", "203.0.113.9, 10.0.0.1", 5, None])
def test_an_address_that_is_not_known_has_no_place(everything: Enricher, ip: Any):
    assert added(everything, ip=ip) == {}


def test_what_the_client_said_stays(everything: Enricher):
    context = {
        "ip": "203.0.113.9",
        "userAgent": CHROME,
        "os": {"name": "SteamOS"},
        "location": {"country": "US"},
        "device": "mine",
        "campaign": None,
    }

    after = everything.enriched(event(**context))["context"]

    assert after["os"] == {"name": "SteamOS"}
    assert after["location"]["country"] == "US"
    assert after["location"]["city"] == "Berlin"
    assert after["device"] == "mine"


def test_bots_are_marked(everything: Enricher):
    assert added(everything, userAgent="Googlebot/2.1 (+http://www.google.com/bot.html)")["bot"] is True


def test_nothing_is_added_that_was_not_switched_on():
    with open_enricher(EnrichSettings()) as enricher:
        original = event(ip="203.0.113.9", userAgent=CHROME)

        assert not enricher
        assert enricher.enriched(original) is original


@given(EVENTS)
def test_any_event_is_enriched_without_being_changed(everything: Enricher, raw: dict[str, Any]):
    original = seen(raw)
    before = copy.deepcopy(original)

    enriched = everything.enriched(original)

    assert original == before
    assert {key: value for key, value in enriched.items() if key != "context"} == {
        key: value for key, value in before.items() if key != "context"
    }
    assert everything.enriched(enriched)["context"].keys() == enriched["context"].keys()


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path):
    path = tmp_path / "city.mmdb"
    path.write_text("no database")

    with pytest.raises(ConfigError, match=r"enrich\.geo"), open_enricher(EnrichSettings(geo=path)):
        pass
