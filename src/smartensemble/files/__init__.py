"""Input files: those of a member's directory, and text with tags."""
