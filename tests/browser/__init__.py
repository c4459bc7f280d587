"""What visitors see: Debian's Chromium on a gateway that serves the repository's own settings and programs."""
