"""Input files: what a member's directory is given, and text with tags."""
