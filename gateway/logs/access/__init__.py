"""The access logs: a line for each request, in the formats of the directives file. Unused, it costs nothing."""
