"""What happens at the retailer between two kills: customers, staff and the ERP's office, drawn from a seed."""

from __future__ import annotations

import threading
from collections import Counter

from hub.sandbox.live import Shoppers
from hub.sandbox.retailer import Retailer


class Life:
    """``happen`` lets some customers come; ``happened`` counts what they and the staff did."""

    def __init__(self, retailer: Retailer, seed: int) -> None:
        self._retailer = retailer
        self._shoppers = Shoppers(retailer, purpose=f"certify {seed}")
        self._stop = threading.Event()

    @property
    def happened(self) -> Counter[str]:
        return self._shoppers.happened

    def happen(self, customers: int = 2) -> None:
        """Each customer is followed by what staff does; then the ERP's office has a look at its desk."""
        for _ in range(customers):
            self._shoppers.step(self._stop)
        self._retailer.erp.back_office_step(self._stop)
