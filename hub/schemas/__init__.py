"""The canonical objects of a project, compiled, and the sentence for whatever is not one."""

from __future__ import annotations

from hub.schemas.registry import Schema, Schemas

__all__ = ["Schema", "Schemas"]
