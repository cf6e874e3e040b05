"""The settings of a BigQuery warehouse."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import model_validator

from gateway.config.texts import like
from gateway.config.units import BaseUrl, Duration
from gateway.warehouses.servers.settings import ServerSettings
from gateway.warehouses.settings import LoadSettings

Project = Annotated[
    str,
    like(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", 'write the id of a project, like "shop-events"'),
]
Dataset = Annotated[str, like(r"[A-Za-z0-9_]{1,1024}", "the name of a dataset has letters, digits and _")]
Location = Annotated[str, like(r"[A-Za-z0-9-]*", 'write a location, like "EU" or "europe-west3"')]
StreamAddress = Annotated[str, like(r"[A-Za-z0-9.-]+:[0-9]+", 'write a host and a port, like "127.0.0.1:9060"')]


class BigQueryLoadSettings(LoadSettings):
    """Each statement of a load is billed at 10 MB for each of its tables at least: loads are rare."""

    max_wait: Duration = 900
    """How old a row may get before it is there."""


class BigQuerySettings(ServerSettings):
    """One dataset."""

    type: Literal["bigquery"] = "bigquery"
    project: Project
    """The project that has the dataset, and that pays."""
    dataset: Dataset = "headwater"
    """It has to be there. It is the loader's own."""
    location: Location = ""
    """Where the dataset is, like `EU`; BigQuery is asked when unset."""
    credentials: Path | None = None
    """The key of a service account, a file in JSON; when unset, what Google calls application default credentials."""
    mode: Literal["load", "stream"] = "load"
    """How rows get there: by load jobs, which cost nothing, or by the Storage Write API, which is quicker."""
    endpoint: BaseUrl | None = None
    """Where the API is, if not at `bigquery.googleapis.com`: at a private address, or an emulator."""
    stream_endpoint: StreamAddress | None = None
    """The same of the Storage Write API, if not at `bigquerystorage.googleapis.com:443`."""
    timeout: Duration = 30
    """For an answer to a request. Jobs are waited for as long as they run."""
    batch: BigQueryLoadSettings = BigQueryLoadSettings()

    @property
    def is_emulated(self) -> bool:
        """The endpoint is one of this machine, without encryption."""
        return (self.endpoint or "").startswith("http://")

    @model_validator(mode="after")
    def _credentials_are_kept(self) -> Self:
        if self.is_emulated and not _is_loopback(urlsplit(self.endpoint or "").hostname or ""):
            raise ValueError("endpoint would be sent credentials without encryption; write https://")
        if self.stream_endpoint and self.is_emulated and not _is_loopback(self.stream_endpoint.rpartition(":")[0]):
            raise ValueError("stream_endpoint would be sent rows without encryption; write it on this machine too")
        return self


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
