"""The domain as pure functions: no database, no clock, no configuration file; values in, values out."""
