"""Callers: who may call a Route.

A guard stands before a Route and asks for everything that its manifest wants of a request. Each way
to prove oneself is a check: it lets the request pass and may tell who called, or it refuses.

    guard ◀ proofs, signatures, tokens (keyrings), addresses
"""
