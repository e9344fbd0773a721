"""Read a page: its blocks, each with a stable id and an exact place."""
