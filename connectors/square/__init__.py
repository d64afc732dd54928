"""Tills on Square."""
