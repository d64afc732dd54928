"""Property tests run on machines that do other things too, so a slow example is not a failure."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("omnihub", deadline=None)
settings.load_profile("omnihub")
