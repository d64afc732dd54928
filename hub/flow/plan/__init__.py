"""Plan and apply: what a pass would change, said before anything is done, and done exactly so or not at all.

A plan is the pass itself: sources are read, and what they said is journalled, derived and compared in one
transaction, which is rolled back. Applying repeats that, compares, and commits only what is the same.
"""
