"""`python -m isthmus_cli` is the command `isthmus`."""

from isthmus_cli.main import main

main()
