"""Documentation that runs, and cannot pretend to: a pytest plugin, a Sphinx extension, and a command."""
