"""The language of Isthmus: resources, expressions and plans.

The bottom package. The operator, the runtime and the command line all stand on it, and it
imports none of them. Everything here is pure: text and values in, values out.
"""
