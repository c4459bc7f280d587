"""Logs: the error log (which the keeper writes too), access logs, script logs."""
