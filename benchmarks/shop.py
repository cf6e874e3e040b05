"""Events of a shop whose people grow in number, as the queue hands them over."""

import random
from array import array
from itertools import accumulate, count

import orjson

from gateway.model.envelope import Batch, Envelope

RECEIVED_AT_MS = 1764046800000
NAMES = (
    *("Product Viewed", "Product Added", "Cart Viewed", "Order Completed"),
    *("Products Searched", "Promotion Clicked", "Signed Up", "Article Read"),
)
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1",
)
PLAN = {"plan": "free"}
Event = dict[str, object]


class Site:
    """Makes events of a site whose people grow in number."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._ids = count()
        self._user_of = array("I")
        """The user that each device was first seen with."""
        self.now_ms = RECEIVED_AT_MS
        self.offset = 0

    def edges(self, number: int) -> list[Event]:
        """Identifies: about one edge each, a third of them with a new e-mail address as a second one."""
        return [self._identify() for _ in range(number)]

    def events(self, number: int) -> list[Event]:
        """Two in five say both ids, one in fifty is an identify, and of those one in five says something new."""
        made = []
        for _ in range(number):
            way = self._random.random()
            made.append(self._view() if way > 0.02 else self._identify() if way < 0.004 else self._identify_again())
        return made

    def strangers(self, number: int) -> list[Event]:
        """Identifies that name nobody, which make no edge."""
        return [self._event("identify", anonymousId=f"s{n}", traits=dict(PLAN)) for n in range(number)]

    def batch(self, events: list[Event]) -> Batch:
        """As the queue hands them over."""
        raws = [orjson.dumps(event) for event in events]
        self.now_ms += 1000
        envelope = Envelope("web", self.now_ms)
        bounds = array("I", [0, *accumulate(map(len, raws))])
        batch = Batch(self.offset, b"".join(raws), bounds, [envelope], array("I", [0] * len(raws)))
        self.offset = batch.next_offset
        return batch

    def _identify(self) -> Event:
        way, known = self._random.random(), len(self._user_of)
        if way < 0.5 or not known:  # a new user on a new device
            device, user = known, known
            self._user_of.append(user)
        elif way < 0.75:  # a known user on a new device
            device, user = known, self._user_of[self._random.randrange(known)]
            self._user_of.append(user)
        elif way < 0.98:  # a known user on their device
            device = self._random.randrange(known)
            user = self._user_of[device]
        else:  # another user on a known device
            device, user = self._random.randrange(known), self._user_of[self._random.randrange(known)]
        traits = {"email": f"u{user}@shop.example"} if way < 0.17 or way > 0.9 else dict(PLAN)
        return self._event("identify", anonymousId=f"d{device}", userId=f"u{user}", traits=traits)

    def _identify_again(self) -> Event:
        device = self._random.randrange(len(self._user_of))
        return self._event("identify", anonymousId=f"d{device}", userId=f"u{self._user_of[device]}", traits=dict(PLAN))

    def _view(self) -> Event:
        """About 850 bytes, as those of the other benchmarks."""
        device, item = self._random.randrange(len(self._user_of)), self._random.randrange(512)
        who = {"userId": f"u{self._user_of[device]}"} if device % 5 < 2 else {}
        path = f"/category/{item % 17}/item-{item}"
        page = {
            "url": f"https://shop.example{path}?utm_source=mail",
            "path": path,
            "title": f"Item {item} of the collection",
            "referrer": "https://www.search.example/",
        }
        context = {
            "library": {"name": "headwater.js", "version": "1.0.0"},
            "locale": "en-GB",
            "userAgent": AGENTS[item % 2],
            "page": page,
            "screen": {"width": 1440, "height": 900, "density": 2},
        }
        properties = {
            "product_id": f"p-{item}",
            "sku": f"SKU-{item}",
            "name": f"Thing number {item}",
            "price": item + 0.5,
            "quantity": item % 5 + 1,
            "currency": "EUR",
            "category": f"Category {item % 17}",
            "coupon": None if item % 3 else "SPRING",
            "in_stock": item % 2 == 0,
            "position": item,
        }
        fields = {"event": NAMES[item % 8], "properties": properties, "context": context}
        return self._event("track", anonymousId=f"d{device}", **who, **fields)

    def _event(self, kind: str, **fields: object) -> Event:
        return {"type": kind, "messageId": f"01890000-0000-7000-8000-{next(self._ids):012d}", **fields}
