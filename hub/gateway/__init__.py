"""The process that outside systems push to: it verifies, stores, answers, and only then rings Airflow."""

from __future__ import annotations

from hub.gateway.app import application

__all__ = ["application"]
