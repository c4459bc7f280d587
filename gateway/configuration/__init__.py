"""Directives files, users and certificates of this machine: what is read when the gateway starts or reloads."""
