"""Certification: proof by attack that nothing is lost, doubled or out of order; prints figures that anyone can repeat."""
