"""What a person reads of an ensemble that ran: its table, and its failures in groups."""
