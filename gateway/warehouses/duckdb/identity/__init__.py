"""The identity graph in DuckDB: evidence (what a load says) -> the rules -> graph (tables), read through views."""

from gateway.warehouses.duckdb.identity.keeper import IdentityKeeper

__all__ = ["IdentityKeeper"]
