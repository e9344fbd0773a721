"""What the docstrings of this package have in common."""
