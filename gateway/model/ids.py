"""Identifiers that the gateway makes."""

import random
import uuid


def uuid7(now_ms: int, rng: random.Random) -> str:
    """A UUID of version 7 (RFC 9562): sorts by time, which keeps neighbours in time neighbours on disk."""
    value = (now_ms & 0xFFFF_FFFF_FFFF) << 80 | rng.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
