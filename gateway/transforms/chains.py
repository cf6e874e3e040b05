"""Which of the owner's files an event goes through: those of its source, then those of the destination."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.config import CodeFile, Settings

Chain = Sequence[CodeFile]


@dataclass(frozen=True, slots=True)
class Chains:
    """Those of the whole configuration."""

    of_sources: Mapping[str, Chain] = field(default_factory=dict)
    timeout_s: float = 1.0
    """For one event, all transforms together."""

    def of(self, source: str, of_destination: Chain) -> Chain:
        """The files for an event of this source."""
        return (*self.of_sources.get(source, ()), *of_destination)

    def files(self, of_destination: Chain) -> Sequence[CodeFile]:
        """All that events of any source may need on their way to one destination, each once."""
        chains = (*self.of_sources.values(), of_destination)
        return tuple(dict.fromkeys(code for chain in chains for code in chain))


def chains_of(settings: Settings) -> Chains:
    """As the owner configured them."""
    of_sources = {name: source.transforms for name, source in settings.sources.items() if source.transforms}
    return Chains(of_sources, settings.transforms.timeout)
