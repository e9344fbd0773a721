"""What tests stand on, a file for each kind of ground: fixtures, and what these hand out."""
