"""What can be told about an event beyond what its client said: device, place, campaign, referrer, bot.

What always holds: the event that lies in the queue is never changed; what is added goes into `context`, and never over
what the client said. Costly answers are remembered by what they were asked, within bounds. Pure but for opening the
geo database. Imports model and config.
"""

from gateway.enrich.bots import open_detector
from gateway.enrich.enricher import NOTHING_ADDED, Enricher, Remembered, open_enricher

__all__ = ["NOTHING_ADDED", "Enricher", "Remembered", "open_detector", "open_enricher"]
