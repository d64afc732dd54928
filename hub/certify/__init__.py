"""Certification: proof by attack that nothing is lost, doubled or out of order; anyone can repeat its figures."""
