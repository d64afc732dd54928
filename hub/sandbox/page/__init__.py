"""The sandbox's own page: its systems, the faults in force with buttons to add and end them, and the latest calls."""

from hub.sandbox.page.app import application

__all__ = ["application"]
