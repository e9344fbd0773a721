"""Batch jobs: their scripts, their size, the scheduler that has them, and the allocation that this program runs in."""
