"""OAuth tokens of Google's destinations."""

import json
from typing import Any

import pytest

from gateway.destinations.contract import Token
from gateway.destinations.google import read_token, refreshing
from gateway.destinations.http_messages import Response
from gateway.model.outcome import Halt, Retry


def answer(status: int, **body: Any) -> Response:
    return Response(status, {}, json.dumps(body).encode())


def test_a_refresh_token_is_exchanged_in_a_form():
    request = refreshing("https://oauth2.example/token", "app", "s3cret&x", "1//r")

    assert request.url == "https://oauth2.example/token"
    assert request.headers == {"content-type": "application/x-www-form-urlencoded"}
    assert request.body == b"client_id=app&client_secret=s3cret%26x&refresh_token=1%2F%2Fr&grant_type=refresh_token"


def test_the_access_token_is_good_for_as_long_as_google_says():
    assert read_token(answer(200, access_token="ya29", expires_in=3599)) == Token("ya29", 3599)


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (answer(400, error="invalid_grant"), Halt("no access token: invalid_grant")),
        (answer(401, error="invalid_client"), Halt("no access token: invalid_client")),
        (Response(403), Halt("no access token: HTTP 403")),
        (Response(429, {"retry-after": "7"}), Retry("HTTP 429", 7)),
        (Response(503), Retry("HTTP 503")),
        (answer(200, access_token=5, expires_in=3599), Retry("no access token in the answer (HTTP 200)")),
        (answer(200, access_token="ya29"), Retry("no access token in the answer (HTTP 200)")),
        (Response(200, {}, b"<html>"), Retry("no access token in the answer (HTTP 200)")),
        (Response(302), Retry("no access token in the answer (HTTP 302)")),
    ],
)
def test_where_there_is_none_it_is_said_why(response: Response, outcome: object):
    assert read_token(response) == outcome
