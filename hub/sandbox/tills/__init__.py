"""The stores' tills: Square's API for locations, catalog, orders and inventory, over tickets of their own."""

from hub.sandbox.tills.tills import Tills

__all__ = ["Tills"]
