"""Files with their validators and compressed forms: the browser script, the demonstration shop, robots.txt."""

from collections.abc import Callable, Mapping

from aiohttp import hdrs

from gateway.collect.answers import Answer, answer
from gateway.collect.exchange import Exchange
from gateway.collect.sources import Source
from gateway.config import Settings
from gateway.script import Asset, Assets

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT_LIVED = "public, max-age=300, stale-while-revalidate=86400"
REVALIDATED = "no-cache"
ROBOTS = answer(200, b"User-agent: *\nDisallow: /\n", "text/plain", (("Cache-Control", SHORT_LIVED),))
_CONTENT_POLICY = ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")

Serve = Callable[[Exchange], None]


def script_files(settings: Settings, assets: Assets, sources: Mapping[str, Source]) -> dict[str, Serve]:
    """The script by path. The loader carries a source's write key: the first source's at `{path}/{name}.js`, and each
    source's at `{path}/{source}/{name}.js`."""
    folder, name = settings.script.path, settings.script.name
    loaders = {source: file_server(_loader(settings, assets, each), SHORT_LIVED) for source, each in sources.items()}
    files = {f"{folder}/{source}/{name}.js": serve for source, serve in loaders.items()}
    files[f"{folder}/{name}.js"] = next(iter(loaders.values()))
    files[f"{folder}/{assets.immutable_name}"] = file_server(assets.immutable, IMMUTABLE)
    return files


def demo_files(settings: Settings, assets: Assets, sources: Mapping[str, Source]) -> dict[str, Serve]:
    """The shop by path: the page at `/demo`, which must be asked for with a slash at the end, and its files."""
    files = {f"/demo/{path}": file_server(asset, REVALIDATED) for path, asset in assets.demo.items() if path}
    source = sources[settings.demo.source]
    files["/demo/headwater.js"] = file_server(_loader(settings, assets, source), REVALIDATED)
    files["/demo"] = _page_server(settings, file_server(assets.demo[""], REVALIDATED))
    return files


def file_server(asset: Asset, cache_control: str) -> Serve:
    """Serves one file, compressed as the client can take it, or 304 when it has it."""
    fixed = (("Cache-Control", cache_control), ("ETag", asset.etag), ("Vary", "Accept-Encoding"), _CONTENT_POLICY)
    plain = answer(200, asset.body, asset.content_type, fixed)
    gzipped = answer(200, asset.gzip, asset.content_type, (*fixed, ("Content-Encoding", "gzip")))
    brotli = (
        answer(200, asset.brotli, asset.content_type, (*fixed, ("Content-Encoding", "br"))) if asset.brotli else None
    )
    unchanged = answer(304, headers=fixed)

    def choose(exchange: Exchange) -> Answer:
        if asset.etag in (exchange.header(hdrs.IF_NONE_MATCH) or ""):
            return unchanged
        accepted = exchange.header(hdrs.ACCEPT_ENCODING) or ""
        if brotli is not None and _accepts(accepted, "br"):
            return brotli
        return gzipped if _accepts(accepted, "gzip") else plain

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


def _loader(settings: Settings, assets: Assets, source: Source) -> Asset:
    return assets.loader({"endpoint": f"{settings.server.path_prefix}/v1/b", "writeKey": source.write_key})


def _accepts(header: str, coding: str) -> bool:
    """Whether an Accept-Encoding takes `coding`; `q=0` refuses it."""
    for item in header.lower().split(","):
        name, _, quality = item.partition(";")
        if name.strip() == coding:
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
