"""Whose a device is, and when. Pure."""

from collections.abc import Iterable, Sequence

from gateway.identity.evidence import EVENT, Claim, Moment
from gateway.model.person import Tenure

HOUR_US = 3_600_000_000


def counted(claims: Iterable[Claim]) -> list[Claim]:
    """The claims that count, oldest first: all but the later ones of an hour that are only implied."""
    first: dict[tuple[object, ...], Claim] = {}
    for claim in claims:
        implied = (claim.at.us // HOUR_US,) if claim.cause == EVENT else claim.at
        key = (claim.device, claim.claimant, claim.cause == EVENT, implied)
        known = first.get(key)
        if known is None or claim.at < known.at:
            first[key] = claim
    return sorted(first.values(), key=lambda claim: (claim.at, claim.claimant))


def starts(claims: Sequence[Claim]) -> list[Claim]:
    """Of the counted claims of one device, those with which it changes hands, the first among them."""
    return [
        claim
        for position, claim in enumerate(claims)
        if position == 0 or claims[position - 1].claimant != claim.claimant
    ]


def tenures(claims: Sequence[Claim]) -> list[Tenure]:
    """The stretches of one device, from all its counted claims. The first has had it from the beginning of time."""
    changes = starts(claims)
    ends: list[int | None] = [claim.at.us for claim in changes[1:]]
    stretches = [
        Tenure(claim.device, claim.claimant, claim.at.us if position else None, end)
        for position, (claim, end) in enumerate(zip(changes, [*ends, None], strict=True))
    ]
    return [stretch for stretch in stretches if stretch.from_us is None or stretch.from_us != stretch.to_us]


def born(claims: Iterable[Claim]) -> Moment:
    """When the device was first linked."""
    return min(claim.at for claim in claims)
