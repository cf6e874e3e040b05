"""Whose request is it? The peer's, or the one that trusted proxies vouch for."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import hdrs

from gateway.collect.exchange import Exchange

CACHE_ENTRIES = 4096

Network = IPv4Network | IPv6Network


class Addresses:
    """Finds the client's address. X-Forwarded-For is read from the right, and only as far as trusted proxies reach.

    A peer on a Unix socket has no address and is trusted: the socket's permissions decide who it can be.
    """

    def __init__(self, trusted_proxies: Sequence[Network]) -> None:
        self._trusted = tuple(trusted_proxies)
        self._clients: dict[tuple[str, str], str] = {}
        self._trusts: dict[str, bool] = {}

    def trusts(self, peer: str) -> bool:
        """Whether what `peer` says about others is believed."""
        known = self._trusts.get(peer)
        if known is None:
            if len(self._trusts) >= CACHE_ENTRIES:
                self._trusts.clear()
            known = self._trusts[peer] = self._is_trusted(peer)
        return known

    def client(self, peer: str, forwarded_for: str | None) -> str:
        """The client's address, in its canonical form. `peer` is empty for a Unix socket."""
        if not forwarded_for or not self.trusts(peer):
            return peer
        key = (peer, forwarded_for)
        known = self._clients.get(key)
        if known is None:
            if len(self._clients) >= CACHE_ENTRIES:
                self._clients.clear()
            known = self._clients[key] = self._rightmost_untrusted(peer, forwarded_for)
        return known

    def protocol(self, exchange: Exchange) -> str:
        """How the browser reaches us: by a trusted proxy's word, else as the page came, which may not mix the two."""
        if self.trusts(exchange.peer):
            said = exchange.header("X-Forwarded-Proto")
            if said in {"http", "https"}:
                return said
        return "https" if (exchange.header(hdrs.ORIGIN) or "").startswith("https://") else "http"

    def _rightmost_untrusted(self, peer: str, forwarded_for: str) -> str:
        """What stands left of an unreadable hop is hearsay: the search ends there."""
        nearest = peer
        for hop in reversed(forwarded_for.split(",")):
            address = parse_address(hop)
            if address is None:
                return nearest
            nearest = str(address)
            if not self._is_trusted(nearest):
                return nearest
        return nearest

    def _is_trusted(self, text: str) -> bool:
        if not text:
            return True
        address = parse_address(text)
        return address is not None and any(address in network for network in self._trusted)


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: with a port, in brackets, as IPv4 mapped into IPv6; None if unreadable."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
