"""hub.yaml as a typed landscape, connections by reference, and where project and data are."""

from __future__ import annotations

from hub.config.connections import resolve, resolver
from hub.config.home import home_of, project_root
from hub.config.hours import Hours
from hub.config.landscape import Landscape, System
from hub.config.load import load
from hub.config.settings import (
    BudgetSettings,
    Channel,
    FlowSettings,
    GuardSettings,
    Retailer,
    SourceSettings,
    TargetSettings,
)
from hub.config.values import matches, select

__all__ = [
    "BudgetSettings",
    "Channel",
    "FlowSettings",
    "GuardSettings",
    "Hours",
    "Landscape",
    "Retailer",
    "SourceSettings",
    "System",
    "TargetSettings",
    "home_of",
    "load",
    "matches",
    "project_root",
    "resolve",
    "resolver",
    "select",
]
