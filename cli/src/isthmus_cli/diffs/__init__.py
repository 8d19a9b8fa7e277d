"""Two states of a folder's objects, and what is different: objects, pods, what becomes of messages.

    sides       a state: the objects of a folder, of a revision of it, or of a cluster
    revisions   the state of a folder at a revision of git
    live        the state in a cluster
    fields      where two JSON values differ
    objects     which objects differ
    workloads   what that does to the pods of each Route, and why
    capacity    what all pods ask for together
    behaviours  what a Mapping or a Route does with a test or a sample
    trials      tests and samples, through both states
    samples     files with messages
    findings    all of it together
    writing     all of it as text, Markdown and JSON

`isthmus_cli.diff` is the command.
"""
