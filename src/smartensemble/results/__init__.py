"""The results of an ensemble for a person to read: its table, and its failures in groups."""
