"""Whose address an event carries."""

from ipaddress import ip_network

import pytest

from gateway.collect.addresses import CACHE_ENTRIES, Addresses, parse_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, unknown, 10.3.3.3", "10.3.3.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("fd00::1", "198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", "198.51.100.1"),
        ("", None, ""),
    ],
)
def test_the_client_is_the_rightmost_hop_that_no_trusted_proxy_is(peer: str, header: str | None, client: str):
    assert Addresses(PROXIES).client(peer, header) == client


def test_nobody_is_trusted_unless_the_configuration_says_so():
    assert Addresses([]).client("127.0.0.1", "198.51.100.1") == "127.0.0.1"


def test_what_is_remembered_is_bounded():
    addresses = Addresses(PROXIES)
    for number in range(3 * CACHE_ENTRIES):
        addresses.client("10.0.0.1", f"198.51.100.1, host{number}")

    assert len(addresses._clients) <= CACHE_ENTRIES


@pytest.mark.parametrize("text", ["", "unknown", "host.example", "1.2.3", "1.2.3.4.5", "_hidden", "a:b:c"])
def test_what_is_no_address_is_none(text: str):
    assert parse_address(text) is None
