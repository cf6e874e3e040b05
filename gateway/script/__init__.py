"""The browser script: its TypeScript source and what is served of it.

`src/` is bundled by `build.mjs` into `dist/`, which is committed and ships in the package, so that nobody who installs
it needs node. `assets.py` hands the built script, a loader for each site, and the demonstration shop to whoever serves
them, as bytes; nothing here listens, and nothing is read after `load_assets`. May import the standard library alone.
"""

from gateway.script.assets import Asset, Assets, load_assets

__all__ = ["Asset", "Assets", "load_assets"]
