"""`SetHandler server-status`: what an administrator sees in a browser, and what monitors read there."""
