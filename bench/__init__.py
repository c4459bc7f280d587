"""Benchmarks: always side by side in one run, told as ratios."""
