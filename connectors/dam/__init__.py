"""Pictures from a library of assets."""
