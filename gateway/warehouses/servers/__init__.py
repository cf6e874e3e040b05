"""Warehouses that are servers: one loader for all, which is told by data what each of them can do (dialect.py).

The flow: shaping (DuckDB, rows in files) -> load -> session (the server's own bulk path, transactions and errors).
"""
