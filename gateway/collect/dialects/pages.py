"""A page as analytics.js describes it in `context.page`, from what other trackers say of it."""

from urllib.parse import parse_qsl, urlsplit

from gateway.collect.dialects.values import Fields, said
from gateway.collect.exchange import MAX_QUERY_FIELDS


def page_of(url: str, referrer: str, title: str) -> Fields:
    """The parts of a page that are known; empty for an event that happened on none."""
    try:
        parts = urlsplit(url)
        path, query = parts.path or ("/" if parts.netloc else ""), parts.query
    except ValueError:
        path, query = "", ""
    search = f"?{query}" if query else ""
    return said({"url": url, "path": path, "search": search, "referrer": referrer, "title": title})


def campaign_of(page: Fields) -> Fields:
    """The utm_* parameters of a page's address without their prefix, utm_campaign as `name`."""
    try:
        pairs = parse_qsl(page.get("search", "").removeprefix("?"), max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        return {}
    named = {name.removeprefix("utm_"): value for name, value in pairs if name.startswith("utm_")}
    return {"name" if name == "campaign" else name: value for name, value in named.items()}
