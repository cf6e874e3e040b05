"""Who stores next: what gateways that load into the same dataset tell each other by the one row of `_headwater_lock`.

`turns` is how often somebody has stored something. It is what a transaction is safe by: its script fails where the
number is not the one that it was when the transaction began to read. The rest is for fairness alone: who was overtaken
asks the others to wait, for a minute at most.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress

from gateway.warehouses.bigquery.api import RefusedError
from gateway.warehouses.bigquery.dialect import DIALECT
from gateway.warehouses.bigquery.jobs import Jobs

LOCK = "_headwater_lock"
OVERTAKEN = "another gateway has stored something meanwhile"
KEPT_S = 60
"""How long others wait."""
PAUSE_S = 1.0
MAKE_LOCK = DIALECT.sql(f"""
    create table if not exists [{LOCK}] as
    select 0 as [turns], '' as [asked_by], timestamp_micros(0) as [asked_until]""")

_STATE = DIALECT.sql(f"""
    select [turns], [asked_by] <> '{{me}}' and [asked_until] > current_timestamp() from [{LOCK}]""")
_ASK = DIALECT.sql(f"""
    update [{LOCK}] set [asked_by] = '{{me}}',
        [asked_until] = timestamp_add(current_timestamp(), interval {KEPT_S} second)
    where [asked_until] < current_timestamp() or [asked_by] = '{{me}}'""")
_CHECK = DIALECT.sql(f"select if((select max([turns]) from [{LOCK}]) = {{turns}}, true, error('{OVERTAKEN}'))")
_COUNT = DIALECT.sql(f"""
    update [{LOCK}] set [turns] = [turns] + 1,
        [asked_until] = if([asked_by] = '{{me}}', timestamp_micros(0), [asked_until]) where true""")


class Turns:
    """Of one session."""

    def __init__(self, jobs: Jobs, pause: Callable[[float], None]) -> None:
        self.was_overtaken = False
        """The last transaction was."""
        self._jobs = jobs
        self._pause = pause
        self._me = secrets.token_hex(8)

    def begin(self) -> int:
        """The number of turns that there were, once nobody else asks to be waited for."""
        if self.was_overtaken:
            with suppress(RefusedError):
                self._jobs.run(_ASK.format(me=self._me))
        for _ in range(round(KEPT_S / PAUSE_S)):
            turns, is_asked = self._state()
            if not is_asked:
                return turns
            self._pause(PAUSE_S)
        return self._state()[0]

    def script(self, turns: int) -> list[str]:
        """Statements that fail where there were more turns since, and that make it one more."""
        return [_CHECK.format(turns=turns), _COUNT.format(me=self._me)]

    def _state(self) -> tuple[int, bool]:
        ((turns, is_asked),) = self._jobs.run(_STATE.format(me=self._me)).rows
        return turns, is_asked
