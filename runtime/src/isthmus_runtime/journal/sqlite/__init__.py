"""The journal in one SQLite file: for a laptop, for tests, and for a single replica.

home       the journal: hands work to the writer, reads beside it
writer     the one thread that writes; what comes while it commits goes into its next transaction
pen        what a transaction writes with, and what it touched
accepting, claiming, settling    the SQL of messages
file       opening, the lock of who works on it, migrating
clock      time that neither jumps nor runs backwards
errors     SQLite's errors as the journal's
"""
