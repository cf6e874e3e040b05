"""Whether a User-Agent header is a program's that says so. What pretends to be a browser is not found out."""

import re
from collections.abc import Callable

_LIBRARIES = re.compile(
    r"^(curl|wget|python-requests|python-urllib|aiohttp|go-http-client|java/|apache-httpclient|libwww-perl|scrapy"
    r"|node-fetch|axios|headlesschrome)|headlesschrome|phantomjs|puppeteer|playwright|selenium|lighthouse",
    re.IGNORECASE,
)
"""Programs that no person browses with. Those by which servers send events (okhttp, SDKs) are not among them."""


def open_detector() -> Callable[[str], bool]:
    """Asks the list of known crawlers, one pattern of all."""
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # noqa: PLC0415 - a large file

    patterns = "|".join(f"(?:{entry['pattern']})" for entry in CRAWLER_USER_AGENTS_DATA)
    crawlers = re.compile(patterns)

    def is_bot(header: str) -> bool:
        return bool(header) and (crawlers.search(header) is not None or _LIBRARIES.search(header) is not None)

    return is_bot
