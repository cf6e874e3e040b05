"""Raw events into the rows of typed tables, by DuckDB in memory: arrivals (Arrow) -> reading (staged) -> rows.

Every warehouse but the archive loads what comes out of here. Python looks at events that are odd, or of a structure
that was not seen before; see docs/decisions/warehouse-shaped-by-the-engine.md.
"""
