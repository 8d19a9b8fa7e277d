"""Traces: a Route with everything behind it, as a tree, and what is wrong with it.

`gathering` asks the cluster, `nodes` make the tree of what it answers, `text` and `dot` draw it.
"""
