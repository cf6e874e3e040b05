"""What PostHog's SDKs ask besides sending events: all that PostHog's own server would do for them is off.

Without `supportedCompression` in its configuration posthog-js sends plain JSON, which costs a preflight for each page.
Whatever else it asks for (/array/TOKEN/config.js, /static/..) it does without after a 404.

Source: requests and answers recorded from posthog-js 1.449.2 and 1.100.0.
"""

from collections.abc import Iterable
from functools import partial

from gateway.collect.answers import Answer, json_answer
from gateway.collect.exchange import Exchange
from gateway.collect.routes import Handler
from gateway.collect.sdk_settings import CACHEABLE

FLAGS = json_answer(200, {"flags": {}, "errorsWhileComputingFlags": False})
DECIDE = json_answer(
    200,
    {
        "config": {},
        "supportedCompression": ["gzip-js"],
        "featureFlags": {},
        "sessionRecording": False,
        "siteApps": [],
    },
)
"""The same for posthog-js before 2025, whose configuration came with the flags."""


def config_files(tokens: Iterable[str]) -> dict[str, Handler]:
    """The configuration of posthog-js for each write key, by its path. Clicks are captured as the page's own
    configuration says."""
    return {f"/array/{token}/config": partial(serve_document, _config(token)) for token in tokens}


def serve_document(document: Answer, exchange: Exchange) -> None:
    """Answers with a document, whatever the request says."""
    exchange.reply(document)


def _config(token: str) -> Answer:
    document = {
        "token": token,
        "supportedCompression": ["gzip", "gzip-js"],
        "hasFeatureFlags": False,
        "sessionRecording": False,
        "surveys": False,
        "heatmaps": False,
        "capturePerformance": False,
        "isAuthenticated": False,
        "siteApps": [],
    }
    return json_answer(200, document, CACHEABLE)
