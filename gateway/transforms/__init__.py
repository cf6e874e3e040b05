"""The owner's code: transforms of events, run in a process of its own beside the daemon.

What always holds: code that raises, hangs or exits costs the event that it was given, and nothing else; the daemon
never runs it. `host` is that process, `runner` is its other end. Imports model and config; `host` imports
the standard library and orjson alone, so that it starts in a moment.
"""

from gateway.transforms.chains import Chain, Chains, chains_of
from gateway.transforms.runner import Failure, Job, KeptBack, Result, Runner, TransformsError

__all__ = ["Chain", "Chains", "Failure", "Job", "KeptBack", "Result", "Runner", "TransformsError", "chains_of"]
