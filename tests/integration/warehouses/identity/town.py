"""10,000 people and what they do, with the truth about each event known from how it was made."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.model.event import from_epoch_ms, to_iso
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, Event

DAY_MS = 86_400_000
MINUTE_MS = 60_000
JUNK = ("undefined", "null", "0", "[object Object]", "00000000-0000-0000-0000-000000000000", "anonymous", "")


@dataclass
class Town:
    """Events in the order in which they arrive. `who` has, for each message id, who did it; None for nobody."""

    arrivals: list[Event] = field(default_factory=list)
    who: dict[str, str | None] = field(default_factory=dict)


class Townsfolk:
    """Makes the events."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._events: list[tuple[int, Event, str | None]] = []

    def town(self, people: int) -> Town:
        """Everybody's sixty days."""
        for number in range(people):
            self._live(number, people)
        arrivals = sorted(self._events, key=lambda made: self._arrival_ms(made[0]))
        return Town([event for _, event, _ in arrivals], {event["messageId"]: who for _, event, who in arrivals})

    def _arrival_ms(self, at_ms: int) -> int:
        """Most come at once; some days later, some a month."""
        is_late = self._random.random()
        return at_ms + (self._random.randrange(30 * DAY_MS) if is_late < 0.08 else self._random.randrange(MINUTE_MS))

    def _live(self, number: int, people: int) -> None:
        user, way = f"user-{number}", self._random.random()
        for device in range(self._random.choice((1, 1, 1, 2, 3))):
            self._device(f"device-{number}-{device}", [user])
        if way < 0.10:
            self._device(f"shared-{number}", [user, f"user-{self._random.randrange(people)}", user])
        elif way < 0.15:
            self._from_a_mail(number)
        elif way < 0.18:
            self._new_name(number)
        elif way < 0.25:
            self._never_signs_up(f"stranger-{number}")
        elif way < 0.27:
            self._junk(user)
        elif way < 0.275:
            self._burst(user, f"device-{number}-0")

    def _device(self, device: str, logins: list[str]) -> None:
        """Visits, then one user after the other. Half of the clients say whose later events are."""
        at_ms, says_so = self._start_ms(), self._random.random() < 0.5
        self._views(device, at_ms, logins[0])
        for user in logins:
            at_ms += self._random.randrange(MINUTE_MS, DAY_MS)
            self._made(at_ms, user, type="identify", anonymousId=device, userId=user, traits=self._traits(user))
            at_ms += self._random.randrange(MINUTE_MS, DAY_MS)
            for _ in range(self._random.randrange(3)):
                named = {"userId": user} if says_so else {}
                self._made(at_ms := at_ms + MINUTE_MS, user, type="page", anonymousId=device, **named)
        if self._random.random() < 0.3:
            self._never_signs_up(f"{device}-after-logout")

    def _views(self, device: str, before_ms: int, who: str | None) -> None:
        for minutes in range(self._random.randrange(1, 4)):
            self._made(before_ms - minutes * MINUTE_MS, who, type="page", anonymousId=device)

    def _never_signs_up(self, device: str) -> None:
        self._views(device, self._start_ms(), device)

    def _from_a_mail(self, number: int) -> None:
        """A device that only ever showed the address, after a link in a mail."""
        device, user, at_ms = f"mailed-{number}", f"user-{number}", self._start_ms()
        self._views(device, at_ms, user)
        self._made(at_ms + 1, user, type="identify", anonymousId=device, traits=self._traits(user))

    def _new_name(self, number: int) -> None:
        """The user is called differently from some day on, and the server says so."""
        user, old, at_ms = f"user-{number}", f"old-{number}", self._start_ms()
        self._made(at_ms, user, type="track", event="Order Completed", userId=old)
        self._made(at_ms + DAY_MS, user, type="alias", userId=user, previousId=old)

    def _junk(self, user: str) -> None:
        """A client with a fault: its ids name nobody, but what names somebody counts."""
        word = self._random.choice(JUNK[:-1])
        self._made(self._start_ms(), None, type="page", anonymousId=word)
        self._made(self._start_ms(), user, type="identify", anonymousId=word, userId=user, traits={"email": word})
        self._made(self._start_ms(), None, type="identify", anonymousId=word, userId=self._random.choice(JUNK[:-1]))

    def _burst(self, user: str, device: str) -> None:
        at_ms = self._start_ms() + 10 * DAY_MS
        for second in range(100):
            self._made(at_ms + second * 10, user, type="track", event="Ping", userId=user, anonymousId=device)

    def _traits(self, user: str) -> dict[str, str]:
        """People write their address in several ways."""
        address = f"{user}@town.example"
        return {"email": self._random.choice((address, address.upper(), f" {address} "))}

    def _start_ms(self) -> int:
        return RECEIVED_AT_MS - 60 * DAY_MS + self._random.randrange(25 * DAY_MS)

    def _made(self, at_ms: int, who: str | None, **fields: object) -> None:
        moment = {"messageId": f"m{len(self._events)}", "timestamp": to_iso(from_epoch_ms(at_ms))}
        self._events.append((at_ms, {**fields, **moment}, who))


def portions(town: Town, size: int) -> Iterator[list[Event]]:
    """The arrivals, `size` at a time."""
    for start in range(0, len(town.arrivals), size):
        yield town.arrivals[start : start + size]
