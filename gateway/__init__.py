"""Headwater: a first-party event gateway.

Data flows one way: collect -> queue -> deliver -> destinations and warehouses. docs/architecture.md has the map.
"""

__version__ = "0.1.0"
