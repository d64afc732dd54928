"""A simulated retailer: its systems over real protocols, with state of their own and their vendors' limits."""
