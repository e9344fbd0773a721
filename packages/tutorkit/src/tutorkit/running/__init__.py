"""Run the blocks of a page in a process of its own, and compare their outputs."""
