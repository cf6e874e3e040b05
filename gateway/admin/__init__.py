"""The operator's listener: metrics, health, and what the command line asks.

Nothing here is for the public: the guard turns away whatever a web page could send. Imports model, config, observe,
queue, deliver, and the warehouses' archive, whose past an order may ask for.
"""

from gateway.admin.control import Control
from gateway.admin.server import Admin

__all__ = ["Admin", "Control"]
