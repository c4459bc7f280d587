"""Programs and hosts, driven over real pipes."""
