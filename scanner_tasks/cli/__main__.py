"""``python -m scanner_tasks.cli``."""

from scanner_tasks.cli import main

main()
