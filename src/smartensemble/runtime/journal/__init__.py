"""What ran in an experiment's directory, on disk as it happens, and who may add to it."""
