"""Programs that look for faults: what nobody should do, many times."""
