"""Keep what became of each block, and say from it how the site stands."""
