"""The first configuration that `headwater init` writes: random paths and a random key for each install. Pure.

Blockers of trackers match words in paths (facts counted over EasyPrivacy, 2026): a path that is drawn and says nothing
protects against collateral blocking. It is no way around an opt-out, which the gateway obeys whatever its paths are.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from string import Template

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""No l, o, 0 or 1, which people misread."""
PATH_LENGTH = 4
NAME_LENGTH = 6
KEY_LENGTH = 32
AVOIDED = (
    "ad", "ahoy", "analy", "beac", "bug", "click", "coll", "count", "event", "gif", "gtag", "gtm", "hit", "img", "imp",
    "log", "mat", "metr", "mix", "pag", "ping", "piw", "pix", "px", "rec", "rum", "seg", "snow", "sp", "stat", "tag",
    "tel", "tra", "trk", "umami", "user", "utm", "view", "visit",
)  # fmt: skip
"""Parts of the words that the lists match."""
PLACEHOLDER_ORIGIN = "https://shop.example"

TEMPLATE = Template("""\
# Headwater. Change what is marked CHANGE; docs/configuration.md explains every setting.
# Then: headwater check FILE, and headwater run --config FILE

[server]
listen = "127.0.0.1:8080"
# The proxy in front, whose X-Forwarded-For is believed.
trusted_proxies = ["127.0.0.1", "::1"]
# Mounted below a path of the site's own host name? This one was drawn for you; the proxy passes it on unchanged.
# path_prefix = "/$prefix"

# Metrics, health and the headwater command. Never reachable from outside.
[admin]
listen = "127.0.0.1:9090"

[queue]
path = $queue
# New events are refused with 503 before undelivered ones would be dropped.
max_bytes = "10GiB"
retention = "3d"

# The browser script, at an address that was drawn for this install: `headwater script tag FILE` prints what goes into
# pages, `headwater script rotate FILE` draws another and keeps this one alive.
[script]
path = "/$path"
name = "$name"

# What is added to events on their way to destinations, where the client did not say it: docs/enrichment.md.
[enrich]
user_agent = true
campaign = true
referrer = true
bots = true

[sources.web]
# It stands in the page, so it is public: it names the source, it does not protect it.
write_keys = ["$key"]
$marker
allowed_origins = $origins
# What its pages send by themselves, and what they must not: docs/script.md. Nothing before a visitor agrees:
# browser.mode = "consent"

[destinations.warehouse]
type = "duckdb"
path = $warehouse

# CHANGE: any HTTP endpoint as a second destination.
# [destinations.hook]
# type = "webhook"
# url = "https://crm.example/headwater"
# secret = "$${WEBHOOK_SECRET}"
""")


def first_configuration(rng: random.Random, data: Path, origins: Sequence[str] = ()) -> str:
    """A whole configuration as TOML. `data` is where queue and warehouse go; `origins` are the site's own."""
    return TEMPLATE.substitute(
        prefix=draw_word(rng, PATH_LENGTH),
        path=draw_word(rng, PATH_LENGTH),
        name=draw_word(rng, NAME_LENGTH),
        key="".join(rng.choices(ALPHABET, k=KEY_LENGTH)),
        queue=_quoted(str(data / "queue")),
        warehouse=_quoted(str(data / "warehouse.duckdb")),
        marker="# The pages that may send." if origins else "# CHANGE: the pages that may send.",
        origins="[" + ", ".join(map(_quoted, origins or [PLACEHOLDER_ORIGIN])) + "]",
    )


def draw_word(rng: random.Random, length: int) -> str:
    """Random letters and digits, a letter first, that hold no part of a word that filter lists match."""
    while True:
        word = "".join(rng.choices(ALPHABET, k=length))
        if word[0].isalpha() and not any(part in word for part in AVOIDED):
            return word


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = "".join(f"\\u{ord(each):04x}" if each in '"\\\x7f' or each < " " else each for each in text)
    return f'"{escaped}"'
