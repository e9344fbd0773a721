"""Who gives nodes: one record for each scheduler, and the script that is handed to it."""
