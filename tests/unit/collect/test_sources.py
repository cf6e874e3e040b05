"""Sources by write key, and the keys in Basic auth."""

import base64

import pytest

from gateway.collect.sources import Sources
from gateway.config import SourceSettings
from gateway.observe.metrics import Metrics


@pytest.fixture
def sources() -> Sources:
    settings = {
        "web": SourceSettings(write_keys=("old-key", "new-key"), allowed_origins=("https://shop.example",)),
        "server": SourceSettings(write_keys=("server-key",)),
    }
    return Sources(settings, Metrics("test"), now_s=0)


def basic(text: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


def test_during_a_rotation_both_keys_lead_to_the_source(sources: Sources):
    assert sources.by_key["old-key"] is sources.by_key["new-key"] is sources.by_name["web"]


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (basic("new-key:"), "new-key"),
        (basic("new-key"), "new-key"),
        (basic("new-key:password"), "new-key"),
        (basic("new-key:", "BASIC"), "new-key"),
        (basic("unknown:"), "unknown"),
        (basic(":"), ""),
        ("Basic", ""),
        ("Basic !!!", ""),
        ("Basic /w==", ""),
        ("Bearer new-key", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_key_is_the_user_of_basic_auth(sources: Sources, header: str | None, key: str):
    assert sources.basic_key(header) == key


def test_a_source_allows_its_own_origins_and_its_own_host(sources: Sources):
    web = sources.by_name["web"]

    assert web.allows("https://shop.example", "gateway.example")
    assert web.allows("https://gateway.example", "gateway.example")
    assert not web.allows("https://evil.example", "gateway.example")
    assert not sources.by_name["server"].allows("https://shop.example", "gateway.example")
