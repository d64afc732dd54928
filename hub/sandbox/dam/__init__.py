"""The DAM: pictures with their renditions and checksums over REST, changes by cursor, content by download."""

from hub.sandbox.dam.dam import Dam

__all__ = ["Dam"]
