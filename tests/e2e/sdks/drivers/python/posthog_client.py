"""posthog for Python."""

from datetime import datetime
from typing import Any

from posthog import Posthog


def run(job: dict[str, Any]) -> None:
    client = Posthog(job["writeKey"], host=job["host"], **job["options"])
    tell(client, job["userId"], job["anonymousId"], job["story"])
    client.shutdown()


def tell(client: Posthog, user: str, visitor: str, story: dict[str, Any]) -> None:
    seen, page, order, group, screen = (story[name] for name in ("seen", "page", "order", "group", "screen"))
    nobody = {"$process_person_profile": False}
    view = {"$current_url": "https://shop.example/boats", "name": page["name"], "category": page["category"]}
    whose = {"$ip": story["context"]["ip"], "$user_agent": story["context"]["userAgent"]}
    shown = {"$screen_name": screen["name"], **screen["properties"]}
    moment = datetime.fromisoformat(story["timestamp"])

    client.capture(seen["event"], distinct_id=visitor, properties={**seen["properties"], **nobody})
    client.capture("$pageview", distinct_id=visitor, properties={**view, **page["properties"], **nobody})
    client.set(distinct_id=user, properties=story["traits"])
    client.capture(order["event"], distinct_id=user, properties={**order["properties"], **whose}, timestamp=moment)
    client.group_identify("company", group["id"], group["traits"], distinct_id=user)
    client.capture("$screen", distinct_id=user, properties=shown)
    # Whatever it is called, what comes first is who is kept.
    client.alias(previous_id=user, distinct_id=visitor)
