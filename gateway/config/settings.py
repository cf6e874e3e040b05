"""Every setting of the daemon, with its default. docs/configuration.md explains them; a test compares the two."""

from collections import Counter
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, FilePath, IPvAnyNetwork, SerializeAsAny, ValidationInfo, field_validator, model_validator

from gateway.config.browser import BrowserSettings
from gateway.config.code import Plugin, Transform
from gateway.config.keeping import CookieSettings, PrivacySettings
from gateway.config.routing import FieldRules, Rule
from gateway.config.section import Section
from gateway.config.texts import OR_EMPTY, Name, like
from gateway.config.tracking_plan import TrackingPlanSettings
from gateway.config.units import Address, Duration, Size


class RateSettings(Section):
    """A token bucket: `per_second` on average, zero for no limit; `burst` at once, zero for one second's worth."""

    per_second: float = Field(default=0, ge=0)
    burst: int = Field(default=0, ge=0)


class ServerSettings(Section):
    """The public listener."""

    listen: Address = "127.0.0.1:8080"
    """host:port, or unix:/path. Ignored when systemd hands over a socket."""
    path_prefix: Annotated[
        str, like(r"(/[A-Za-z0-9._~-]+)*", 'write a path that begins and does not end with /, like "/events", or ""')
    ] = ""
    """Everything is served below this path, for a gateway mounted on the site's own host name."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Addresses whose X-Forwarded-For is believed."""
    max_body: Size = 4 * 2**20
    """Largest request body as it comes over the wire."""
    max_inflated_body: Size = 16 * 2**20
    """Largest request body after decompression."""
    max_event: Size = 512 * 1000
    """Largest single event."""
    body_timeout: Duration = 10
    """How long a client may take to send a request, headers and body each."""
    ack_timeout: Duration = 4
    """How long a request may wait for its commit before it is answered 503."""
    max_connections: int = Field(default=10_000, ge=1)
    max_in_flight: Size = 64 * 2**20
    """Bytes of request bodies held in memory at once; above it, new ones are answered 503."""
    rate_per_ip: RateSettings = RateSettings()
    drain: Duration = 20
    """How long a stopping daemon waits for requests and sends in flight."""

    @model_validator(mode="after")
    def _limits_are_nested(self) -> Self:
        if self.max_event > self.max_inflated_body:
            raise ValueError("max_event is larger than max_inflated_body, which holds it; raise the latter")
        return self


class AdminSettings(Section):
    """The operator's listener: metrics, health, and what the command line talks to. Never expose it."""

    listen: Address = "127.0.0.1:9090"
    """host:port, or unix:/path."""


class QueueSettings(Section):
    """The write-ahead queue on disk."""

    path: Path = Path("data/queue")
    """Directory of the queue's files."""
    durability: Literal["full", "normal"] = "full"
    """`full`: an acknowledged event survives a power cut. `normal`: it survives a killed process only."""
    retention: Duration = 3 * 86_400
    """How long delivered events are kept for replays."""
    max_bytes: Size = 10 * 2**30
    """Byte budget of the queue; new events are refused before undelivered ones are dropped."""
    reserve: Size = 64 * 2**20
    """Size of a file that is given up when the disk is full, so that delivery can go on."""
    min_free: Size = 256 * 2**20
    """Free space on the disk below which new events are refused."""
    dedupe_window: Duration = 86_400
    dedupe_max_ids: int = Field(default=5_000_000, ge=0)
    rejects_max_bytes: Size = 16 * 2**20
    """Size of the ring of refused events, kept for 24 hours."""


class ScriptSettings(Section):
    """The browser script."""

    enabled: bool = True
    path: Annotated[
        str, like(r"(/[A-Za-z0-9._~-]+)+", 'write a path that begins and does not end with /, like "/js"')
    ] = "/js"
    """Directory the script is served from. `headwater init` draws a random one."""
    name: Annotated[str, like(r"[A-Za-z0-9_-]+", 'write letters, digits, - and _ alone, like "headwater"')] = (
        "headwater"
    )
    """File name of the loader, without `.js`. Without it, the same address takes the script's events."""
    former: tuple[
        Annotated[str, like(r"(/[A-Za-z0-9._~-]+)+", 'write a path that begins and does not end with /, like "/js"')],
        ...,
    ] = ()
    """Addresses from before a rotation, as path and name: they go on answering, for pages that still know them."""
    cookie: Annotated[str, like(r"[A-Za-z0-9_-]{1,32}", 'write up to 32 letters, digits, - and _, like "hw"')] = "hw"
    """Name of the cookie that knows a visitor."""
    segment_script: FilePath | None = None
    """Segment's script, served where Segment's snippet looks for it."""


class DemoSettings(Section):
    """The demonstration shop at /demo."""

    enabled: bool = False
    source: Name = "web"
    """The source whose write key the shop uses."""


class SourceSettings(Section):
    """A place that events come from, told apart by its write keys."""

    write_keys: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = Field(min_length=1)
    """More than one during a rotation. They are public: they name a source, they do not protect it."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of the pages that may send, like "https://shop.example" or "https://*.shop.example". "*" allows every
    page. Empty: browsers on other origins are refused; servers, which send no Origin, are not."""
    rate: RateSettings = RateSettings()
    transforms: tuple[Transform, ...] = ()
    """Python files that every event of the source goes through, in this order, on its way to any destination."""
    bots: Literal["keep", "drop"] = "keep"
    """What programs send that say in their User-Agent what they are."""
    privacy: PrivacySettings = PrivacySettings()
    cookies: CookieSettings = CookieSettings()
    tracking_plan: TrackingPlanSettings = TrackingPlanSettings()
    browser: BrowserSettings = BrowserSettings()

    @field_validator("allowed_origins")
    @classmethod
    def _origins_are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and ("://" not in origin or origin.count("/") != 2):  # noqa: PLR2004 - the two slashes of the scheme
                raise ValueError(f'"{origin}" is not an origin; write scheme and host, like "https://shop.example"')
        return tuple(origin.lower() for origin in origins)


class RetrySettings(Section):
    """When and how long a destination is tried again."""

    first_delay: Duration = 1
    max_delay: Duration = 300
    horizon: Duration = 7 * 86_400
    """An event that could not be delivered for this long becomes a dead letter."""
    order_wait: Duration = 60
    """How long a person's later events wait for an earlier one that is being retried."""

    @model_validator(mode="after")
    def _delays_grow(self) -> Self:
        if self.first_delay > self.max_delay:
            raise ValueError("first_delay is longer than max_delay; lower it")
        return self


class BatchSettings(Section):
    """How events are put together for one send; a destination's own limits still hold."""

    max_events: int = Field(default=100, ge=1)
    max_bytes: Size = 500_000
    max_wait: Duration = 0
    """How long to wait for a batch to fill."""


class DestinationSettings(Section):
    """What every kind of destination has. Kinds add their own keys; `type` tells them apart."""

    type: str
    enabled: bool = True
    sources: tuple[Name, ...] = ()
    """Sources that feed it; empty means all."""
    rules: tuple[Rule, ...] = ()
    """Which events it is told of; the first rule that keeps an event back counts."""
    transforms: tuple[Transform, ...] = ()
    """Python files that events go through, in this order, after those of their source."""
    fields: FieldRules = FieldRules()
    consent: tuple[str, ...] | None = None
    """Categories that a visitor must not have refused; unless it is said, those of the kind of tool."""
    consent_required: bool = False
    """A visitor who was not asked counts as one who refused."""
    integration: str = ""
    """Its name in the `integrations` object of events, beside its own and the vendor's."""
    batch: BatchSettings = BatchSettings()
    retry: RetrySettings = RetrySettings()
    max_age: Duration = 0
    """Events older than this become dead letters instead of being sent; zero means no limit."""
    hold: Duration = 0
    """How long an event without a user waits for one to be known; zero: it does not."""
    stitch: Annotated[Name, OR_EMPTY] = ""
    """The warehouse that knows whose a device is, where events without a user are to be given one."""
    concurrency: int = Field(default=4, ge=1, le=64)
    """Requests in flight at once."""
    events_per_second: float = Field(default=0, ge=0)
    requests_per_second: float = Field(default=0, ge=0)
    timeout: Duration = 15
    """For one request, connection included."""

    @field_validator("rules")
    @classmethod
    def _rules_are_told_apart(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        for name, count in Counter(rule.name for rule in rules).items():
            if count > 1:
                raise ValueError(
                    f'two rules are called "{name}"; rename one, for what they keep back is counted by name'
                )
        return rules

    @model_validator(mode="after")
    def _held_events_are_young_enough(self) -> Self:
        if self.hold and self.max_age and self.hold >= self.max_age:
            raise ValueError("hold is as long as max_age, so what was held would be too old to be sent; lower it")
        return self


class WarehouseSettings(DestinationSettings):
    """What every kind of warehouse has."""

    is_archive: ClassVar[bool] = False
    """Whether it keeps events as they were accepted, and cannot be asked anything."""

    @field_validator("hold", "stitch")
    @classmethod
    def _the_past_is_known(cls, value: float | str, field: ValidationInfo) -> float | str:
        if value:
            key = field.field_name
            raise ValueError(
                f"a warehouse needs no {key}: it gives a person's past to them when they sign up; remove it"
            )
        return value


class EnrichSettings(Section):
    """What is added to the context of events on their way to destinations, where the client did not say it."""

    user_agent: bool = False
    """`browser`, `os` and `device`, from the User-Agent header and client hints."""
    geo: FilePath | None = None
    """A database in MaxMind's format, for `location`."""
    campaign: bool = False
    """`campaign`, from the `utm_` parameters of the page's address."""
    referrer: bool = False
    """`referrer`: whether it was a search, a social network, a mail, an assistant, another site or this one."""
    bots: bool = False
    """`bot = true` for programs that say what they are."""


class TransformSettings(Section):
    """The owner's transforms."""

    timeout: Annotated[Duration, Field(gt=0)] = 1
    """How long all transforms of one event may take together; then they are cut off."""


class PluginSettings(Section):
    """The owner's own kinds of destination."""

    destinations: tuple[Plugin, ...] = ()
    """Python files, each with a `DESTINATION`."""


class LogSettings(Section):
    """Logs go to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class Settings(Section):
    """The whole file."""

    server: ServerSettings = ServerSettings()
    admin: AdminSettings = AdminSettings()
    queue: QueueSettings = QueueSettings()
    script: ScriptSettings = ScriptSettings()
    demo: DemoSettings = DemoSettings()
    log: LogSettings = LogSettings()
    enrich: EnrichSettings = EnrichSettings()
    transforms: TransformSettings = TransformSettings()
    plugins: PluginSettings = PluginSettings()
    sources: dict[Name, SourceSettings] = Field(min_length=1)
    destinations: dict[Name, SerializeAsAny[DestinationSettings]] = Field(default={})
