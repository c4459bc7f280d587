"""Readers: the words of a line as a value, and back."""
