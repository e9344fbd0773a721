"""Models and scripts in the database: what the worker does with the AI.* commands that the server hands to it."""
