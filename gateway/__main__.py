"""`python -m gateway`: the command."""

from gateway.cli import main

main(prog_name="gateway")
