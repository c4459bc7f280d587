"""The servers of others, each on a port of its own, in the foreground, its files in a folder.

A peer executes the files of the folder `pages` as /cgi-bin/; those that speak FastCGI answer /page by programs
that were started before.
"""
