"""Programs that run with the standard library alone, and import nothing of this package."""
