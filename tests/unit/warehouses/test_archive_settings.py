"""Where an archive may be."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.warehouses.archive import ArchiveSettings

KEYS = {"access_key_id": "AKID", "secret_access_key": "s3cret"}


@pytest.mark.parametrize(
    ("url", "scheme", "bucket", "path"),
    [
        ("s3://shop", "s3", "shop", ""),
        ("s3://shop/raw/events/", "s3", "shop", "raw/events"),
        ("gs://shop/raw", "gs", "shop", "raw"),
        ("/var/lib/archive/", "file", "", "/var/lib/archive"),
        ("file:///var/lib/archive", "file", "", "/var/lib/archive"),
    ],
)
def test_a_url_is_a_bucket_or_a_path(url: str, scheme: str, bucket: str, path: str):
    settings = ArchiveSettings(url=url)

    assert (settings.scheme, settings.bucket, settings.path) == (scheme, bucket, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "archive",
        "./archive",
        "s3:///raw",
        "s3://key:s3cret@shop/raw",
        "s3://shop/raw?region=x",
        "http://shop/raw",
        "file://host/archive",
        "/var/../etc",
        "s3://shop/../other",
    ],
)
def test_nothing_else_is_one(url: str):
    with pytest.raises(ValidationError, match="write"):
        ArchiveSettings(url=url)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "s3://shop", "access_key_id": "AKID"}, "belong together"),
        ({"url": "s3://shop", "secret_access_key": "s3cret"}, "belong together"),
        ({"url": "gs://shop", **KEYS}, 'for a url that begins with "s3://"'),
        ({"url": "/archive", "region": "eu-central-1"}, 'for a url that begins with "s3://"'),
        ({"url": "s3://shop", "service_account_file": __file__}, 'for a url that begins with "gs://"'),
        ({"url": "/archive", "endpoint": "http://127.0.0.1:9000"}, "a path has none"),
        ({"url": "/archive", "hold": 60}, "a warehouse needs no hold"),
        (
            {"url": "/archive", "consent": ["marketing"]},
            "an archive keeps events as they were accepted; remove consent",
        ),
        ({"url": "/archive", "fields": {"deny": ["context.ip"]}}, "remove fields"),
        ({"url": "/archive", "rules": [{"name": "a", "drop_if": {"types": ["page"]}}]}, "remove rules"),
        ({"url": "/archive", "consent_required": True}, "remove consent_required"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_words(given: dict[str, Any], words: str):
    with pytest.raises(ValidationError, match=words):
        ArchiveSettings.model_validate(given)


def test_no_secret_is_shown():
    settings = ArchiveSettings.model_validate({"url": "s3://shop", **KEYS})

    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()
