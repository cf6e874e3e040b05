"""What the name of a cursor tells. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CursorName:
    """A cursor's name, `mail` or `mail#replay-3`, and what is derived from it."""

    name: str

    @property
    def destination(self) -> str:
        """The destination as it is called in the configuration."""
        return self.name.partition("#")[0]

    @property
    def suffix(self) -> str:
        """`#replay-3`; empty for a destination's own cursor."""
        return self.name.removeprefix(self.destination)

    @property
    def is_replay(self) -> bool:
        """Whether it reads a stretch of the past beside the destination's own cursor."""
        return bool(self.suffix)

    @property
    def label(self) -> str:
        """For metrics: replays share one label, so that their number does not grow the label's values."""
        return f"{self.destination}#replay" if self.is_replay else self.name
