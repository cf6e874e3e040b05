"""`python -m gateway` is `headwater`."""

from gateway.cli import main

main(prog_name="headwater")
