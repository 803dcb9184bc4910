"""`python -m regrow` is the command line."""

from regrow.interfaces.cli import main

main()
