"""The place of an address, from a database in MaxMind's format (GeoLite2, GeoIP2, DB-IP, IPinfo's conversions)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import maxminddb

from gateway.model.errors import ConfigError


class Database(Protocol):
    """An open database."""

    def get(self, ip_address: str, /) -> Any:
        """The record of the address's network; None where there is none. Raises ValueError for what is no address."""
        ...


def open_database(path: Path) -> maxminddb.Reader:
    """Mapped into memory. Raises ConfigError."""
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise ConfigError(
            f"enrich.geo: {path}: {error}", hint="a file in MaxMind's format (.mmdb) is needed"
        ) from error


def locate(address: str, database: Database) -> dict[str, Any]:
    """`location` as it goes into `context`; empty where nothing is known of the address."""
    try:
        record = database.get(address)
    except ValueError:
        return {}
    if not isinstance(record, Mapping):
        return {}
    region: Mapping[str, Any] = next(iter(record.get("subdivisions") or ()), {})
    place = record.get("location") or {}
    found = {
        "country": _code(record.get("country")) or _code(record.get("registered_country")),
        "region": region.get("iso_code"),
        "city": _name(record.get("city")),
        "postalCode": (record.get("postal") or {}).get("code"),
        "latitude": place.get("latitude"),
        "longitude": place.get("longitude"),
        "timezone": place.get("time_zone"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _code(country: Any) -> str | None:
    """Some databases have the code where others have a table with it."""
    if isinstance(country, str):
        return country
    return country.get("iso_code") if isinstance(country, Mapping) else None


def _name(place: Any) -> str | None:
    if isinstance(place, str):
        return place
    return (place.get("names") or {}).get("en") if isinstance(place, Mapping) else None
