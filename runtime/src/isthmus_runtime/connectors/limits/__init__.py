"""Limits: how a Connector keeps to what its system bears.

    limiter      what a call goes through: it waits for its turn, and what is answered is looked at
    ├── rates    so many calls in a window, or out of a bucket
    │   └── counts   the same, counted in this process
    ├── places   so many calls at once, over all processes
    ├── pauses   nothing for a while, for the system said so
    │   └── learning   what answers say of limits
    └── lines    calls that wait for one of these

Imported only where a Connector has a `rateLimit`.
"""
