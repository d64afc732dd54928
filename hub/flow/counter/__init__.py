"""What tills and shop ask at the counter, answered from the journal at once and fresh to its last event.

Nothing here waits for a pass: availability and prices are computed from their inputs when they are asked for,
by the same pure functions that derive what is delivered.
"""

from __future__ import annotations
