"""Other servers' directives: what may stand here without effect, and what may not."""
