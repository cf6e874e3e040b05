"""Which handler answers a path. One dictionary look-up for the paths that SDKs use, a closer look for all others."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from prometheus_client import Counter

from gateway.collect.exchange import Exchange

Handler = Callable[[Exchange], None]

_REPEATED_SLASHES = re.compile("/{2,}")
_ABSOLUTE_FORM = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_PROJECT = re.compile(r"/projects/([^/]+)/settings")
_VENDOR = re.compile(r"/[\w-]+(?:\.[\w-]+)+/[^/]+", re.ASCII)
"""`/com.example/v1`, Snowplow's form of a path: whose it is, and which version."""


class Route:
    """What one path, or several of the same meaning, can do. Its name is a metric label."""

    def __init__(self, name: str, handlers: Mapping[str, Handler], requests: Counter) -> None:
        self.name = name
        self.handlers = dict(handlers)
        if "GET" in self.handlers:
            self.handlers.setdefault("HEAD", self.handlers["GET"])
        self._requests = requests
        self._counters: dict[int, Counter] = {}

    def counter(self, status: int) -> Counter:
        """Counts answers of this status."""
        known = self._counters.get(status)
        if known is None:
            known = self._counters[status] = self._requests.labels(self.name, str(status))
        return known


class Routes:
    """All of them, below the path prefix."""

    def __init__(self, prefix: str, table: Mapping[str, Route], project: Route, vendor: Route, unknown: Route) -> None:
        """`table` has the paths without prefix, without `/v1` in front and without a slash at the end. `vendor` takes
        those of its form that `table` does not have."""
        self._prefix = prefix
        self._table = table
        self._project = project
        self._vendor = vendor
        self._unknown = unknown
        self._exact = {f"{prefix}/v1{path}": route for path, route in table.items()}

    def find(self, exchange: Exchange) -> Route:
        """The route of a request. Sets the exchange's `query`, and its `path` where the path has a part that varies."""
        target: str = exchange.message.path
        return self._exact.get(target) or self._look_closer(target, exchange)

    def _look_closer(self, target: str, exchange: Exchange) -> Route:
        """Takes a missing or doubled `/v1`, slashes too many, and a target that is a whole URL."""
        if not target.startswith("/"):
            target = _ABSOLUTE_FORM.sub("", target, count=1)
        path, _, exchange.query = target.partition("?")
        path = _REPEATED_SLASHES.sub("/", path).rstrip("/")
        if not f"{path}/".startswith(f"{self._prefix}/"):
            return self._unknown
        path = path[len(self._prefix) :]
        while path.startswith("/v1/"):
            path = path[3:]
        project = _PROJECT.fullmatch(path)
        exchange.path = unquote(project[1]) if project else path
        if project:
            return self._project
        return self._table.get(path) or (self._vendor if _VENDOR.fullmatch(path) else self._unknown)
