"""From one dictionary of parameters to many: what the user passes, strategies, and plots of the members."""
