"""The script's files as a server needs them: bytes, compressed ahead, with their hashes."""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, NamedTuple

import brotli

JAVASCRIPT = "text/javascript; charset=utf-8"
CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": JAVASCRIPT,
    "svg": "image/svg+xml",
}
BUILDS = {"core": "headwater.js", "lite": "lite.js"}
CHUNKS = ("vitals", "errors", "linker")
HASH_CHARACTERS = 16


class Asset(NamedTuple):
    """One file. `etag` is a strong validator of `body`, quotes included."""

    body: bytes
    gzip: bytes
    brotli: bytes
    etag: str
    content_type: str

    @property
    def file_name(self) -> str:
        """A name that changes with the content, for an address that may be cached for ever."""
        return f"{hashlib.sha256(self.body).hexdigest()[:HASH_CHARACTERS]}.js"

    @property
    def integrity(self) -> str:
        """For the `integrity` attribute of a tag."""
        return f"sha384-{base64.b64encode(hashlib.sha384(self.body).digest()).decode()}"


@dataclass(frozen=True)
class Assets:
    """Everything that the browser may ask for."""

    builds: Mapping[str, bytes]
    """`core` and `lite`, each an expression, `(site => {...})`: appending a call makes it run."""
    chunks: Mapping[str, Asset]
    """Modules that the core loads when a site wants them: `vitals`, `errors`, `linker`."""
    immutable: Asset
    """The core without a site: its tag carries the settings. Its address changes with its content."""
    demo: Mapping[str, Asset]
    """The shop by path below its folder; the page itself is at "". It asks for `headwater.js` beside itself."""
    snippet: str
    """The inline stub, with SCRIPT_URL and WRITE_KEY to be filled in."""
    former: Mapping[str, Asset] = field(default_factory=dict)
    """Never-changing files of earlier releases, by name."""

    def loader(self, site: Mapping[str, Any], build: str = "core") -> Asset:
        """A build with a site's settings (src/types.ts says which there are)."""
        return _script(self.builds[build], site)


def load_assets() -> Assets:
    """Reads the built files from the package."""
    dist, demo = files(__package__) / "dist", files(__package__) / "demo"
    builds = {name: (dist / file).read_bytes() for name, file in BUILDS.items()}
    return Assets(
        builds=builds,
        chunks={name: javascript((dist / f"{name}.js").read_bytes()) for name in CHUNKS},
        immutable=_script(builds["core"], {}),
        demo={
            "" if file.name == "index.html" else file.name: _asset(
                file.read_bytes(), CONTENT_TYPES[file.name.rpartition(".")[2]]
            )
            for file in demo.iterdir()
        },
        snippet=(dist / "snippet.js").read_text(),
    )


def javascript(body: bytes) -> Asset:
    """A script, ready to be served."""
    return _asset(body, JAVASCRIPT)


def _script(build: bytes, site: Mapping[str, Any]) -> Asset:
    call = b"(%s);\n" % json.dumps(dict(site), separators=(",", ":"), sort_keys=True).encode()
    return javascript(build + call)


def _asset(body: bytes, content_type: str) -> Asset:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Asset(body, gzip.compress(body, 9, mtime=0), brotli.compress(body, quality=11), etag, content_type)
