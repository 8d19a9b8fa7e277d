"""The journal in PostgreSQL: for any number of replicas, of any number of Routes.

home       the journal: hands calls to batches, scripts to the pool
address    what an address says, and what of it may be shown
pool       a few connections, opened when they are needed and again when they were lost
batches    what arrives while a statement is under way goes into the next one
accepting, claiming, settling    the SQL of messages, and the races it has to win
bell       LISTEN and NOTIFY, so that work starts at once
migrating  the tables, under a lock
errors     PostgreSQL's errors as the journal's
"""
