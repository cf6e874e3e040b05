"""segment-analytics-python and rudder-sdk-python, whose clients are spelled alike: `options.package` says which."""

from datetime import datetime
from importlib import import_module
from typing import Any


def run(job: dict[str, Any]) -> None:
    options = dict(job["options"])
    package = import_module(f"{options.pop('package')}.client")
    client = package.Client(job["writeKey"], host=job["host"], **options)
    tell(client, job["userId"], job["anonymousId"], job["story"])
    client.shutdown()


def tell(client: Any, user: str, visitor: str, story: dict[str, Any]) -> None:
    group = story["group"]
    client.track(anonymous_id=visitor, **story["seen"])
    client.page(anonymous_id=visitor, **story["page"])
    client.identify(user, story["traits"], anonymous_id=visitor)
    client.track(
        user,
        anonymous_id=visitor,
        timestamp=datetime.fromisoformat(story["timestamp"]),
        integrations=story["integrations"],
        context=story["context"],
        **story["order"],
    )
    client.group(user, group["id"], group["traits"])
    client.screen(user, **story["screen"])
    client.alias(visitor, user)
