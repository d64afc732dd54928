"""The journal: one PostgreSQL database that remembers what is known, what should be and what is.

Each module here is one noun of DESIGN.md section 5. Functions take an open connection and leave
committing to the caller, so that one transaction commits a batch whole.
"""

from __future__ import annotations

from hub.journal.database import connect, migrate

__all__ = ["connect", "migrate"]
