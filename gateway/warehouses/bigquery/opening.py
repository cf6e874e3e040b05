"""A session with all that it needs."""

import time

from gateway.model.clock import SystemClock
from gateway.warehouses.bigquery.api import Api
from gateway.warehouses.bigquery.jobs import Jobs
from gateway.warehouses.bigquery.session import BigQuerySession
from gateway.warehouses.bigquery.settings import BigQuerySettings
from gateway.warehouses.bigquery.staging import Filler, LoadJobs, Staging


def open_session(settings: BigQuerySettings) -> BigQuerySession:
    """It is not connected yet."""
    clock = SystemClock()
    api = Api(settings, time.sleep)
    jobs = Jobs(api, clock)
    return BigQuerySession(api, jobs, Staging(api, _filler(settings, jobs), clock))


def _filler(settings: BigQuerySettings, jobs: Jobs) -> Filler:
    if settings.mode == "load":
        return LoadJobs(jobs)
    from gateway.warehouses.bigquery.stream import WriteStreams  # noqa: PLC0415 - takes a second, and is needed here alone

    return WriteStreams(settings, time.sleep)
