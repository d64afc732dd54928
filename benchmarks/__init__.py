"""What the engine's ways cost against the plain ones, measured in one run: ratios, since machines differ.

``hub bench`` (``make bench``) runs them. Every module here has ``compare()``, answering
:class:`benchmarks.race.Comparison`, and lasts less than a minute.
"""
