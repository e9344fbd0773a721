"""What does things: writes directories, starts programs, watches them, ends them."""
