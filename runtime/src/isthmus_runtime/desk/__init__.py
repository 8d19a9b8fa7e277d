"""The desk's window: operators ask about messages in JSON and are answered in JSON.

`python -m isthmus_runtime.desk` answers on its standard streams, in a pod of a Route, for
`isthmus messages -n`; the command line uses the same code for a journal of its own machine.

A request is one JSON object a line:

    {"do": "find", "filter": {…}, "limit": 100, "cursor": 17}
    {"do": "preview" | "groups", "filter": {…}}
    {"do": "show", "id": "…"}
    {"do": "export", "filter": {…}, "limit": 50, "cursor": 17}
    {"do": "audit", "limit": 100, "cursor": 17}
    {"do": "remembered", "namespace": "…", "store": "…"}
    {"do": "send", "route": "…", "body": "…", "parameters": {…}, "rehearsal": false,
     "act": "…", "who": "…", "why": "…"}
    {"do": "replay" | "drop", "filter": {…}, "act": "…", "who": "…", "why": "…", "body": "…"}

Its answers are JSON objects, one a line, of which the last is `{"end": {…}}`, or
`{"error": "…"}` for people to read. `requests` reads, `answers` writes, `clerk` does what is asked,
`showing` masks, `manual` makes messages that are sent by hand.
"""
