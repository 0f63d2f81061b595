"""Run the command line: ``python -m microflask``."""

from .cli import main

main()
