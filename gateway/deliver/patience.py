"""Trying until it works: operations of a warehouse, which is one connection and fails as a whole."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from gateway.config import RetrySettings
from gateway.deliver.backoff import retry_delay_s
from gateway.deliver.bell import Bell
from gateway.deliver.breaker import moment, restored
from gateway.deliver.cursor_name import CursorName
from gateway.deliver.services import Services
from gateway.model.errors import QueueUnavailableError, WarehouseError, WarehouseRowError
from gateway.queue.records import RetryState

T = TypeVar("T")


class Patience:
    """Backs off between attempts, for ever: nothing is dropped because a warehouse is down."""

    def __init__(self, name: CursorName, policy: RetrySettings, retry: RetryState | None, services: Services) -> None:
        self.breaker = restored(retry, moment(services.clock))
        self._name = name
        self._policy = policy
        self._services = services
        self._bell = Bell()

    def resume(self) -> None:
        """Try now."""
        self.breaker = self.breaker.resumed(moment(self._services.clock))
        self._bell.ring()

    async def until_done(self, operation: Callable[[], Awaitable[T]]) -> T:
        """The operation's result, from the first attempt that succeeds. Raises WarehouseRowError at once."""
        while True:
            while (wait_s := self.breaker.wait_s(self._services.clock.monotonic_s())) > 0:
                await self._bell.heard(wait_s)
            self.breaker = self.breaker.sending()
            try:
                result = await operation()
            except WarehouseRowError:
                await self._succeeded()
                raise
            except WarehouseError as error:
                await self._failed(str(error))
            except Exception as error:  # noqa: BLE001 - a fault of one warehouse's code is trouble of that one alone
                structlog.get_logger().exception("warehouse.fault", destination=self._name.name)
                await self._failed(f"{type(error).__name__}: {error}")
            else:
                await self._succeeded()
                return result

    async def _failed(self, error: str) -> None:
        log = structlog.get_logger().bind(destination=self._name.name)
        if self.breaker.state == "closed":
            log.warning("warehouse.failing", error=error)
        delay_s = retry_delay_s(self.breaker.attempts + 1, self._policy, self._services.rng)
        self.breaker = self.breaker.opened(moment(self._services.clock), delay_s, error, paused=False)
        self._services.metrics.breaker_state.labels(self._name.label).set(2)
        await self._keep()

    async def _succeeded(self) -> None:
        recovered = self.breaker.state != "closed"
        self.breaker = self.breaker.succeeded(moment(self._services.clock))
        self._services.metrics.breaker_state.labels(self._name.label).set(0)
        if recovered:
            structlog.get_logger().info("warehouse.recovered", destination=self._name.name)
            await self._keep()

    async def _keep(self) -> None:
        try:
            await self._services.queue.set_retry(self._name.name, self.breaker.to_record())
        except QueueUnavailableError as error:
            structlog.get_logger().warning("destination.not_recorded", destination=self._name.name, error=str(error))
