"""A session with all that it needs."""

import time

from gateway.model.clock import SystemClock
from gateway.warehouses.bigquery.api import Api
from gateway.warehouses.bigquery.jobs import Jobs
from gateway.warehouses.bigquery.session import BigQuerySession
from gateway.warehouses.bigquery.settings import BigQuerySettings
from gateway.warehouses.bigquery.staging import LoadJobs, Staging


def open_session(settings: BigQuerySettings) -> BigQuerySession:
    """It is not connected yet."""
    clock = SystemClock()
    api = Api(settings, time.sleep)
    jobs = Jobs(api, clock)
    return BigQuerySession(api, jobs, Staging(api, LoadJobs(jobs), clock))
