"""A persistent-CGI gateway: CGI programs stay alive between two requests."""

__version__ = "0.1.0"
