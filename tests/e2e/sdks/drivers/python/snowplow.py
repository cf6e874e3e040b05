"""snowplow-tracker, by POST or by GET as `options.tracker.eventMethod` says."""

from datetime import datetime
from typing import Any

from snowplow_tracker import (
    Emitter,
    PagePing,
    PageView,
    SelfDescribing,
    SelfDescribingJson,
    StructuredEvent,
    Subject,
    Tracker,
)


def run(job: dict[str, Any]) -> None:
    method = job["options"]["tracker"]["eventMethod"]
    emitter = Emitter(job["host"], method=method, batch_size=100 if method == "post" else 1)
    subject = Subject().set_domain_user_id(job["anonymousId"])
    subject.set_ip_address(job["story"]["context"]["ip"]).set_useragent(job["story"]["context"]["userAgent"])
    tell(Tracker("sp", emitter, subject=subject, app_id=job["writeKey"]), subject, job)
    emitter.flush()
    wait_for_what_is_sent_again(emitter)


def tell(tracker: Tracker, subject: Subject, job: dict[str, Any]) -> None:
    options, story = job["options"], job["story"]
    seen, page, order = story["seen"], story["page"], options["order"]
    product, ping = seen["properties"], options["scroll"]
    offsets = (ping["minXOffset"], ping["maxXOffset"], ping["minYOffset"], ping["maxYOffset"])
    view = ("https://shop.example/boats?utm_source=news", page["name"])
    true_time = datetime.fromisoformat(story["timestamp"]).timestamp() * 1000
    contexts = [SelfDescribingJson(each["schema"], each["data"]) for each in options["contexts"]]
    described = SelfDescribingJson(order["schema"], order["data"])

    tracker.track(
        StructuredEvent(page["category"], seen["event"], product["product_id"], "price", product["price"]),
    )
    subject.set_user_id(job["userId"])
    tracker.track(PageView(*view))
    tracker.track(PagePing(*view, None, *offsets))
    tracker.track(SelfDescribing(described, context=contexts, true_timestamp=true_time))
    bought = [{name: item[name] for name in ("sku", "name", "price", "quantity")} for item in order["data"]["products"]]
    data = order["data"]
    tracker.track_ecommerce_transaction(data["order_id"], data["total"], currency=data["currency"], items=bought[:1])


def wait_for_what_is_sent_again(emitter: Emitter) -> None:
    """The emitter sends again by itself, from threads that do not keep the process."""
    while True:
        with emitter.lock:
            if not emitter.event_store.size():
                return
            timer = emitter.retry_timer.timer
        if timer is not None:
            timer.join()
