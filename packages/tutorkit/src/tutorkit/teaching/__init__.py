"""Exercises: checked, given out and graded."""
