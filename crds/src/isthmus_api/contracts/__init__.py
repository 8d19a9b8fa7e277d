"""Contracts: what vendors publish of their APIs, held against what Routes ask and read of them.

An OpenAPI document is read (`document`), its operations and schemas are looked at as far as a
question goes (`operations`, `shapes`). What a Route sends and reads of each answer is told from its
steps without running them (`flow`). Both meet in `fit` (one document) and `breaks` (an old one and
a new one). Pure: texts come from elsewhere.

Nothing of this is part of a plan, see docs/adr/0017.
"""
