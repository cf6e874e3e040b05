"""Visitors of a shop, and what a web sessionisation has to make of their events, computed from the events alone."""

import random
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

Event = dict[str, Any]

BEGINNING = datetime(2025, 11, 20, 5, tzinfo=UTC)
INACTIVITY = timedelta(minutes=30)
HOSTS = ("shop.example", "help.shop.example")
REFERRERS = ("https://www.search.example/results?q=shoes", "https://news.example/", "https://shop.example/")
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Safari/604.1")
PAUSES_S = (0, 1, 7, 59, 600, 1799, 1800, 1801, 4000, 90_000)


class Session(NamedTuple):
    """What is asked of each session."""

    anonymous_id: str
    user: str
    """The user, or the device where nobody has said who it is."""
    number: int
    """Of the user's sessions."""
    started_at: datetime
    duration_s: int
    page_views: int
    first_page: str
    last_page: str
    referrer_host: str
    utm_source: str | None
    device: str


def visit(seed: int, devices: range) -> list[Event]:
    """Events of these devices in the order of their time, some of them a second time, as clients send them again."""
    chance = random.Random(seed)
    ids = count()
    events = [event for device in devices for event in _of_device(chance, device, seed, ids)]
    events.sort(key=lambda event: (event["timestamp"], event["messageId"]))
    return events + chance.sample(events, len(events) // 20)


def sessions_of(events: list[Event]) -> list[Session]:
    """All of them, in order."""
    once = {event["messageId"]: event for event in events}
    ordered = sorted(once.values(), key=lambda event: (_at(event), event["messageId"]))
    latest = {event["anonymousId"]: event["userId"] for event in ordered if event.get("userId")}
    visits: dict[str, list[list[Event]]] = {}
    for page in ordered:
        if page["type"] == "page":
            sessions = visits.setdefault(page["anonymousId"], [])
            if not sessions or _at(page) - _at(sessions[-1][-1]) > INACTIVITY:
                sessions.append([])
            sessions[-1].append(page)
    found = [_session(pages, latest) for sessions in visits.values() for pages in sessions]
    found.sort(key=lambda session: (session.user, session.started_at))
    numbers: dict[str, count[int]] = {}
    return sorted(session._replace(number=next(numbers.setdefault(session.user, count(1)))) for session in found)


def customers_of(events: list[Event]) -> dict[str, tuple[str | None, int, float]]:
    """Of each user that was identified: the latest plan, the orders, and what they came to."""
    once = {event["messageId"]: event for event in events}
    ordered = sorted(once.values(), key=lambda event: (_at(event), event["messageId"]))
    plans = {event["userId"]: event["traits"]["plan"] for event in ordered if event["type"] == "identify"}
    orders = [event for event in ordered if event.get("event") == "Order Completed"]
    bought = {
        user: [order["properties"]["revenue"] for order in orders if order.get("userId") == user] for user in plans
    }
    return {user: (plan, len(bought[user]), sum(bought[user])) for user, plan in plans.items()}


def _of_device(chance: random.Random, device: int, seed: int, ids: "count[int]") -> list[Event]:
    user = f"u{device // 2}" if device % 3 else None
    at = BEGINNING + timedelta(seconds=device * 13 + seed * 3600)
    referrer = chance.choice(REFERRERS)
    events = []
    for _ in range(chance.randrange(1, 12)):
        at += timedelta(seconds=chance.choice(PAUSES_S))
        knows = user is not None and chance.random() < 0.3
        who = {
            "anonymousId": f"d{device}",
            "messageId": f"m{seed}-{next(ids)}",
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%S.000Z}",
        }
        who |= {"userId": user} if knows else {}
        way = chance.random()
        if way < 0.15 and knows:
            events.append(
                {
                    "type": "identify",
                    "traits": {"plan": chance.choice(("free", "paid")), "email": f"{user}@shop.example"},
                    **who,
                }
            )
        elif way < 0.3:
            events.append(
                {
                    "type": "track",
                    "event": "Order Completed",
                    "properties": {"revenue": chance.randrange(8) + 0.5},
                    **who,
                }
            )
        else:
            events.append({"type": "page", "name": "Item", **_page(chance, referrer), **who})
    return events


def _page(chance: random.Random, referrer: str) -> Event:
    path = f"/items/{chance.randrange(30)}"
    campaign = {
        "source": chance.choice(("news", "mail")),
        "medium": "mail",
        "name": "spring",
        "term": "shoes",
        "content": "top",
    }
    context = {"userAgent": chance.choice(AGENTS), "ip": "192.0.2.1"} | (
        {"campaign": campaign} if chance.random() < 0.5 else {}
    )
    page = {"url": f"https://{chance.choice(HOSTS)}{path}?page=1", "path": path, "title": "Item", "search": "?page=1"}
    return {"properties": {**page, "referrer": referrer}, "context": context}


def _session(pages: list[Event], latest: dict[str, str]) -> Session:
    first, last = pages[0], pages[-1]
    device = first["anonymousId"]
    return Session(
        anonymous_id=device,
        user=latest.get(device, device),
        number=0,
        started_at=_at(first),
        duration_s=round((_at(last) - _at(first)).total_seconds()),
        page_views=len(pages),
        first_page=first["properties"]["url"],
        last_page=last["properties"]["url"],
        referrer_host=first["properties"]["referrer"].split("/")[2].removeprefix("www."),
        utm_source=first["context"].get("campaign", {}).get("source"),
        device="phone" if "iPhone" in first["context"]["userAgent"] else "desktop",
    )


def _at(event: Event) -> datetime:
    return datetime.fromisoformat(event["timestamp"])
