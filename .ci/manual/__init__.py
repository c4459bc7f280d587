"""What is generated for readers, from the parser of the command and the table of the directives.

`make docs` writes it, `make lint` finds what is stale.
"""
