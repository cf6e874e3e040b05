"""The errors of the gateway: one root, few classes."""


class HeadwaterError(Exception):
    """Something went wrong that an operator or a client can act on.

    `hint` says what to do next, usually the command to type.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(HeadwaterError):
    """The configuration cannot be used; the message lists every fault in it."""


class QueueError(HeadwaterError):
    """The queue could not do what was asked."""


class QueueFullError(QueueError):
    """The queue is at its byte budget or the disk is short: try again after `retry_after_s`."""

    def __init__(self, message: str, *, retry_after_s: int = 30, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class QueueUnavailableError(QueueError):
    """The disk refused a commit: nothing was acknowledged, try again after `retry_after_s`."""

    def __init__(self, message: str, *, retry_after_s: int = 5, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class WarehouseError(HeadwaterError):
    """A load failed as a whole; the same load may succeed later (locked file, lost connection, full disk)."""


class WarehouseRowError(HeadwaterError):
    """A load failed because of its rows: repeating it unchanged cannot succeed, so it is split."""
