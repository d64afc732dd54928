"""One machine: the embedded database, the supervised processes, and the checks before they start."""
