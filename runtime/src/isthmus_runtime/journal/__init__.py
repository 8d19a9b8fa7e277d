"""The journal: where messages are safe from when they are accepted until they are settled.

`journal.py` is the seam: what a journal does, in values of `entries.py`. `sqlite` and `postgres`
are its two homes; `opening` chooses one by its address. Sources accept, the delivery claims and
settles, the desk of operators lists, replays and drops. Nothing here knows steps or HTTP.
"""
