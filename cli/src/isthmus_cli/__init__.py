"""The command line: run, lint and test integrations on a laptop."""
