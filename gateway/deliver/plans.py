"""What decides about events of one destination: its kind, the owner's settings of it, and the owner's code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gateway.config import DestinationSettings
from gateway.deliver.routing import Route, route
from gateway.destinations.contract import Destination
from gateway.transforms import Chains
from gateway.warehouses.contract import WarehouseKind


@dataclass(frozen=True)
class Plan:
    """Of a tool."""

    name: str
    """In the configuration."""
    kind: Destination[Any]
    settings: DestinationSettings
    transforms: Chains = field(default_factory=Chains)
    """The owner's, those of all sources."""

    @cached_property
    def route(self) -> Route:
        """What is let through."""
        return route(self.name, self.kind.title, self.settings, self.kind.category, heeds_all=True)

    @cached_property
    def max_age_s(self) -> float:
        """The age above which an event is not sent; zero means no limit."""
        return self.kind.age_limit_s(self.settings)

    @cached_property
    def max_payload_bytes(self) -> int:
        """What a request can hold at all."""
        return self.kind.batch_bytes(self.settings)


@dataclass(frozen=True)
class LoadPlan:
    """Of a warehouse."""

    name: str
    kind: WarehouseKind[Any]
    settings: DestinationSettings
    transforms: Chains = field(default_factory=Chains)

    @cached_property
    def route(self) -> Route:
        """What is let through. Senders' `integrations` do not speak of warehouses."""
        return route("", "", self.settings, "", heeds_all=False)


@dataclass(frozen=True, slots=True)
class KindTable:
    """Kinds by the class of their settings."""

    tools: Mapping[type[DestinationSettings], Destination[Any]]
    warehouses: Mapping[type[DestinationSettings], WarehouseKind[Any]]

    def plan(self, name: str, settings: DestinationSettings, transforms: Chains) -> Plan | LoadPlan:
        """The plan of the destination `name`."""
        if warehouse := self.warehouses.get(type(settings)):
            return LoadPlan(name, warehouse, settings, transforms)
        return Plan(name, self.tools[type(settings)], settings, transforms)
