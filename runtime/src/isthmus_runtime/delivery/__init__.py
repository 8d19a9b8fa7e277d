"""Delivery: what happens to a message between its acceptance and its end.

`worker` claims messages of one Route, has each attempted, and settles it with what `policy` makes
of the outcome. Everything that decides is pure; what waits for the network or the journal is in
`passage` and `worker`.

    policy, versions, journey, transcript ◀ passage ◀ attempt, batch ◀ worker
"""
