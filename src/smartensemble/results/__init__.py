"""The results of an ensemble for a person to read: its table, its failures in groups, and notes while it runs."""
