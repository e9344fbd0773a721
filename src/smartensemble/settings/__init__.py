"""Settings that run a program, and settings of a batch job."""
