"""Files with their validators and compressed forms: the browser script, the demonstration shop, robots.txt."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiohttp import hdrs

from gateway.collect.answers import Answer, answer
from gateway.collect.exchange import Exchange
from gateway.config import Settings
from gateway.script import Asset, Assets

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT_LIVED = "public, max-age=300, stale-while-revalidate=86400"
REVALIDATED = "no-cache"
ROBOTS = answer(200, b"User-agent: *\nDisallow: /\n", "text/plain", (("Cache-Control", SHORT_LIVED),))
_POLICIES = (
    ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),  # else pages that isolate themselves could not load the script
)

Serve = Callable[[Exchange], None]


def demo_files(settings: Settings, assets: Assets, script: Asset) -> dict[str, Serve]:
    """The shop by path: the page at `/demo`, which must be asked for with a slash at the end, and its files."""
    files = {f"/demo/{path}": file_server(asset, REVALIDATED) for path, asset in assets.demo.items() if path}
    files["/demo/headwater.js"] = file_server(script, REVALIDATED)
    files["/demo"] = _page_server(settings, file_server(assets.demo[""], REVALIDATED))
    return files


class Form(NamedTuple):
    """One file in one content coding, with the entity tag of these very bytes (RFC 9110, section 8.8.3.3)."""

    coding: str
    """Empty for the plain bytes, which everybody takes."""
    etag: str
    whole: Answer
    unchanged: Answer


def file_server(asset: Asset, cache_control: str) -> Serve:
    """Serves one file, compressed as the client can take it, or 304 when it has it in that form."""
    fixed = (("Cache-Control", cache_control), ("Vary", "Accept-Encoding"), *_POLICIES)
    bodies = {"br": asset.brotli, "gzip": asset.gzip, "": asset.body}
    forms = [_form(asset, coding, body, fixed) for coding, body in bodies.items()]

    def choose(exchange: Exchange) -> Answer:
        accepted = exchange.header(hdrs.ACCEPT_ENCODING) or ""
        form = next(form for form in forms if not form.coding or _accepts(accepted, form.coding))
        is_known = _is_known(exchange.header(hdrs.IF_NONE_MATCH) or "", form.etag)
        return form.unchanged if is_known else form.whole

    return lambda exchange: exchange.reply(choose(exchange))


def serve_robots(exchange: Exchange) -> None:
    """Nothing here is worth a crawler's time."""
    exchange.reply(ROBOTS)


def _page_server(settings: Settings, serve: Serve) -> Serve:
    """The page names its files relative to itself: without the slash at the end they would be looked for beside it."""
    target = f"{settings.server.path_prefix}/demo/"
    redirect = answer(308, headers=(("Location", target), ("Cache-Control", "no-cache")))

    def serve_page(exchange: Exchange) -> None:
        if exchange.message.path.partition("?")[0].endswith("/"):
            serve(exchange)
        else:
            exchange.reply(redirect)

    return serve_page


def _form(asset: Asset, coding: str, body: bytes, fixed: Sequence[tuple[str, str]]) -> Form:
    etag = f'{asset.etag[:-1]}-{coding}"' if coding else asset.etag
    headers = (*fixed, ("ETag", etag))
    encoding = (("Content-Encoding", coding),) if coding else ()
    whole = answer(200, body, asset.content_type, (*headers, *encoding))
    return Form(coding, etag, whole, answer(304, headers=headers))


def _is_known(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match names `etag`, or anything. Compared weakly: proxies that compress weaken our tags."""
    return any(each.strip().removeprefix("W/") in (etag, "*") for each in if_none_match.split(","))


def _accepts(header: str, coding: str) -> bool:
    """Whether an Accept-Encoding takes `coding`; `q=0` refuses it."""
    for item in header.lower().split(","):
        name, _, quality = item.partition(";")
        if name.strip() == coding:
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
