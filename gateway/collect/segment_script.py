"""Segment's own browser script at Segment's own address, for pages whose snippet or plugin asks for it there.

The script is the operator's to place, from the package @segment/analytics-next: `dist/umd/standalone.js`, and beside it
the `*.bundle.*.js` that it loads when a page needs them. What is served is the same for every write key: the script
reads the key from the snippet or from its own address, and has only to be told which host it came from.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from gateway.collect.static_files import IMMUTABLE, SHORT_LIVED, Serve, file_server
from gateway.model.errors import ConfigError
from gateway.script import javascript

ORIGIN = (
    b'(s=>{if(s){const k=s.getAttribute("data-global-segment-analytics-key")||"analytics",a=window[k]=window[k]||[];'
    b'a._cdn=a._cdn||s.src.split("/analytics.js/v1/")[0]}})(document.currentScript);\n'
)
"""Without it the script asks its vendor's host for settings, unless its address is one of https that it recognises."""

BUNDLES = "*.bundle.*.js"
MAX_FILE_BYTES = 2 * 2**20
MAX_BUNDLES = 50


def segment_script_files(script: Path | None, write_keys: Iterable[str]) -> dict[str, Serve]:
    """The script at `/analytics.js/v1/{writeKey}/analytics.min.js`, and its bundles where it looks for them; nothing
    where the operator has placed no script. Raises ConfigError for a file that cannot be read.
    """
    if script is None:
        return {}
    serve = file_server(javascript(ORIGIN + _read(script)), SHORT_LIVED)
    files = {f"/analytics.js/v1/{quote(key, safe='')}/analytics.min.js": serve for key in write_keys}
    for bundle in _bundles(script.parent):
        files[f"/analytics-next/bundles/{bundle.name}"] = file_server(javascript(_read(bundle)), IMMUTABLE)
    return files


def _bundles(folder: Path) -> Iterator[Path]:
    found = sorted(folder.glob(BUNDLES))
    if len(found) > MAX_BUNDLES:
        raise ConfigError(
            f"script.segment_script: {folder} has {len(found)} files like {BUNDLES}",
            hint="put the script in a folder of its own",
        )
    yield from found


def _read(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"script.segment_script: {file}: {error.strerror}", hint="make it readable to the user of the daemon"
        ) from error
    if len(content) > MAX_FILE_BYTES:
        raise ConfigError(f"script.segment_script: {file} has more than {MAX_FILE_BYTES} bytes")
    return content
