"""Typed settings from one TOML file. Unknown keys are refused, all faults listed at once, secrets never shown.

Imports the model only. The kinds of destination are handed in by app.py, so that this room knows none of them.
"""

from gateway.config.browser import BrowserSettings
from gateway.config.code import CodeFile
from gateway.config.keeping import CookieSettings, PrivacySettings
from gateway.config.load import load_settings
from gateway.config.routing import Condition, FieldRules, Match, Rule
from gateway.config.settings import (
    AdminSettings,
    BatchSettings,
    DemoSettings,
    DestinationSettings,
    EnrichSettings,
    QueueSettings,
    RateSettings,
    RetrySettings,
    ScriptSettings,
    ServerSettings,
    Settings,
    SourceSettings,
    WarehouseSettings,
)
from gateway.config.tracking_plan import PlanFile, TrackingPlanSettings

__all__ = [
    "AdminSettings",
    "BatchSettings",
    "BrowserSettings",
    "CodeFile",
    "Condition",
    "CookieSettings",
    "DemoSettings",
    "DestinationSettings",
    "EnrichSettings",
    "FieldRules",
    "Match",
    "PlanFile",
    "PrivacySettings",
    "QueueSettings",
    "RateSettings",
    "RetrySettings",
    "Rule",
    "ScriptSettings",
    "ServerSettings",
    "Settings",
    "SourceSettings",
    "TrackingPlanSettings",
    "WarehouseSettings",
    "load_settings",
]
