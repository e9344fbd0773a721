"""From one dictionary of parameters to many: what was given, strategies, and pictures of designs."""
