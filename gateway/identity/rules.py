"""What the owner decides about identity, in the form that the rules use."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from gateway.model.person import USER_ID

OF_EVERY_OTHER = 5


@dataclass(frozen=True, slots=True)
class Rules:
    """Bounds of a person. Limits count the same in every order of arrival; what follows them depends on it."""

    limits: Mapping[str, int] = field(default_factory=dict)
    """How many of a type of identifier a strong identifier may bring together; user ids: 1, others: 5."""
    blocklist: AbstractSet[str] = frozenset()
    strong: tuple[str, ...] = ("email",)
    """Traits that identify, the strongest first."""
    max_identifiers: int = 1_000
    max_merges: int = 100
    max_links_an_hour: int = 100

    def limit(self, identifier_type: str) -> int:
        """How many of this type a person may have by strong identifiers."""
        return self.limits.get(identifier_type, 1 if identifier_type == USER_ID else OF_EVERY_OTHER)
