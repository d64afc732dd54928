"""Connectors: one folder for each vendor or protocol; each a leaf."""
