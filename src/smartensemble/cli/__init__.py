"""The command ``smartensemble``: a file for each group of verbs."""
