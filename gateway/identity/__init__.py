"""Who is who: from the links in events to persons.

The rules are pure and in files of their own (devices, merging, guards); `resolve` applies them to what is new, and sees
the graph through a `Store`, which every warehouse has. What always holds: the graph is the same whatever the order in
which events came, but for what a guard has refused, and a guard can only keep people apart. docs/identity.md has the
rules in words. May import model and config.
"""

from gateway.identity.evidence import Claim, Evidence, Link, Moment
from gateway.identity.guards import Guards
from gateway.identity.resolve import resolve
from gateway.identity.rules import Rules
from gateway.identity.store import Changes, Placement, Store

__all__ = ["Changes", "Claim", "Evidence", "Guards", "Link", "Moment", "Placement", "Rules", "Store", "resolve"]
