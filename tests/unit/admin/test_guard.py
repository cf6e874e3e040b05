"""Which Host headers can only come from somebody who means this listener."""

import pytest

from gateway.admin.guard import is_own_host


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:9090",
        "127.0.0.1",
        "localhost:9090",
        "LOCALHOST",
        "[::1]:9090",
        "[::1]",
        "10.1.2.3:9090",
        "gate.internal:9090",
    ],
)
def test_addresses_localhost_and_the_configured_name_are_own(host: str):
    assert is_own_host(host, "gate.internal")


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:9090", "127.0.0.1.evil.example", "localhost.evil.example:80", ":9090"]
)
def test_names_that_could_be_rebound_are_not(host: str):
    assert not is_own_host(host, "gate.internal")
