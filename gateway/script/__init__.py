"""The browser script: its TypeScript source and what is served of it.

`src/` is bundled by `build.mjs` into `dist/`, which is committed and ships in the package, so that nobody who installs
it needs node. `assets.py` hands the built script, a loader for each site, and the demonstration shop to whoever serves
them, as bytes; nothing here listens. `archive.py` keeps the files that pages may have pinned for longer than a release
lives. May import the standard library and Brotli alone.
"""

from gateway.script.archive import with_former
from gateway.script.assets import Asset, Assets, javascript, load_assets

__all__ = ["Asset", "Assets", "javascript", "load_assets", "with_former"]
