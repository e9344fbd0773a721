"""Run commands on this machine: the driver's end of the supervisor."""
