#!/usr/bin/env python
"""Django's command line for Petrosa."""

import os
import sys


def main() -> None:
    os.umask(0o077)  # what we write holds tokens and keys, and so does what our children write
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "petrosa_site.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
