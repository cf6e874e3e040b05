"""Quantities and addresses as people write them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.config.units import Address, Duration, Size

DURATION: TypeAdapter[float] = TypeAdapter(Duration)
SIZE: TypeAdapter[int] = TypeAdapter(Size)
ADDRESS: TypeAdapter[str] = TypeAdapter(Address)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("90s", 90),
        ("15m", 900),
        ("24h", 86_400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("1.5h", 5_400),
        (" 10 S ", 10),
        (10, 10),
        (0.5, 0.5),
        (0, 0),
    ],
)
def test_durations_are_seconds(text: str | float, seconds: float) -> None:
    assert DURATION.validate_python(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("512KiB", 524_288),
        ("4MiB", 4_194_304),
        ("10gib", 10_737_418_240),
        ("500 KB", 500_000),
        ("1.5MB", 1_500_000),
        ("1TB", 10**12),
        ("2TiB", 2**41),
        (4096, 4096),
    ],
)
def test_sizes_are_bytes(text: str | int, size: int) -> None:
    assert SIZE.validate_python(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "10",
        "s",
        "",
        "-5s",
        "1h30m",
        "5 years",
        "1e3s",
        "9" * 400 + "s",
        "\u0661s",
        True,
        -1,
        float("inf"),
        float("nan"),
    ],
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        DURATION.validate_python(text)


@pytest.mark.parametrize("text", ["10", "MiB", "-5MB", "1 XB", "9" * 400 + "B", "9000000TiB", False, -1, 1.5, None])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        SIZE.validate_python(text)


@pytest.mark.parametrize(
    "text", ["127.0.0.1:8080", "0.0.0.0:0", "[::1]:8080", "localhost:80", "unix:/run/headwater/public.sock"]
)
def test_addresses_are_kept_as_written(text: str) -> None:
    assert ADDRESS.validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    ["8080", ":8080", "127.0.0.1", "127.0.0.1:65536", "::1:80", "unix:relative", "unix:/" + "x" * 107, "http://a:1"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="write an address and a port"):
        ADDRESS.validate_python(text)
