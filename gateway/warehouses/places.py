"""Whether a place on disk could be written, asked without making or changing anything.

`headwater check` is often run by another user than the daemon is: a file or folder that it made would be that user's.
"""

import os
from pathlib import Path

from gateway.model.errors import WarehouseError


def require_writable(path: Path) -> None:
    """Raises WarehouseError where neither the path nor, if it is missing, the nearest folder above can be written."""
    nearest = next(each for each in (path, *path.parents) if each.exists())
    if nearest != path and not nearest.is_dir():
        raise WarehouseError(f"{path} cannot be made: {nearest} is no directory", hint="choose another path")
    if not os.access(nearest, os.W_OK | (os.X_OK if nearest.is_dir() else 0)):
        trouble = f"{path} cannot be written" if nearest == path else f"{path} cannot be made below {nearest}"
        raise WarehouseError(trouble, hint=f"let the daemon's user write {nearest}, or choose another path")
