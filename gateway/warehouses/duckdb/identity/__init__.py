"""The identity graph in DuckDB's file: its rows and views, and what the owner does to it."""

from gateway.warehouses.duckdb.identity.file import FileIdentity

__all__ = ["FileIdentity"]
