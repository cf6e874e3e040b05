"""The script's files as a server needs them: bytes, compressed ahead, with their hashes."""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

JAVASCRIPT = "text/javascript; charset=utf-8"
CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": JAVASCRIPT,
    "svg": "image/svg+xml",
}
UNCOMPRESSED_BLOCK_MAX_BYTES = 65_536
END_OF_BROTLI_STREAM = b"\x03"


class Asset(NamedTuple):
    """One file. `etag` is a strong validator of `body`, quotes included."""

    body: bytes
    gzip: bytes
    brotli: bytes | None
    etag: str
    content_type: str


@dataclass(frozen=True)
class Assets:
    """Everything that the browser may ask for.

    `core` is an expression, `(site => {...})`: the script without its site. Appending a call makes it run, both to
    the plain text and to its brotli stream, which the build leaves open at a byte boundary.
    """

    core: bytes
    core_brotli: bytes
    immutable: Asset
    """The script without a site: its tag carries the settings. Its URL changes with its content."""
    immutable_name: str
    integrity: str
    """For the `integrity` attribute of tags that load the immutable URL."""
    demo: Mapping[str, Asset]
    """The shop by path below its folder; the page itself is at "". It asks for `headwater.js` beside itself."""
    snippet: str
    """The inline stub, with SCRIPT_URL and WRITE_KEY to be filled in."""

    def loader(self, site: Mapping[str, str]) -> Asset:
        """The script with a site's settings: `endpoint` (a path on the script's host, or a URL) and `writeKey`."""
        return _script(self.core, self.core_brotli, site)


def load_assets() -> Assets:
    """Reads the built files from the package."""
    folder = files(__package__)
    core = (folder / "dist" / "headwater.js").read_bytes()
    core_brotli = (folder / "dist" / "headwater.js.br").read_bytes()
    immutable = _script(core, core_brotli, {})
    return Assets(
        core=core,
        core_brotli=core_brotli,
        immutable=immutable,
        immutable_name=f"headwater-{hashlib.sha256(immutable.body).hexdigest()[:16]}.js",
        integrity=f"sha384-{base64.b64encode(hashlib.sha384(immutable.body).digest()).decode()}",
        demo={"" if file.name == "index.html" else file.name: _file(file) for file in (folder / "demo").iterdir()},
        snippet=(folder / "dist" / "snippet.js").read_text(),
    )


def _script(core: bytes, core_brotli: bytes, site: Mapping[str, str]) -> Asset:
    call = b"(%s);\n" % json.dumps(dict(site), separators=(",", ":"), sort_keys=True).encode()
    brotli = core_brotli + _uncompressed_brotli_block(call) + END_OF_BROTLI_STREAM
    return _asset(core + call, brotli, JAVASCRIPT)


def _file(file: Traversable) -> Asset:
    return _asset(file.read_bytes(), None, CONTENT_TYPES[file.name.rpartition(".")[2]])


def _asset(body: bytes, brotli: bytes | None, content_type: str) -> Asset:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Asset(body, gzip.compress(body, 9, mtime=0), brotli, etag, content_type)


def _uncompressed_brotli_block(content: bytes) -> bytes:
    """A meta-block of RFC 7932, section 9.2, that starts and ends on a byte boundary.

    Its header, lowest bits first: not the last block (1 bit), length in four nibbles (2), length - 1 (16),
    uncompressed (1), and fill bits.
    """
    if not 0 < len(content) <= UNCOMPRESSED_BLOCK_MAX_BYTES:
        raise ValueError(f"a site's settings take {len(content)} bytes; at most {UNCOMPRESSED_BLOCK_MAX_BYTES} fit")
    header = (len(content) - 1) << 3 | 1 << 19
    return header.to_bytes(3, "little") + content
