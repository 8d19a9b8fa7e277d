"""The manual: every command and option, made of the commands themselves.

`pages` reads them, `reference` writes docs/reference/cli.md, `man` writes pages for man.
"""
