"""One file for each target: its `TARGET`."""
