"""OpenAPI 3.1: what callers of the served Routes may send and what they get.

Everything is read off the Routes: path variables, the query parameters and headers that expressions
read, the schema of a `validate` that comes first, the output schema of the Mapping that makes the
answer, and how a webhook is verified. What the Routes do not say is left open.
"""

from isthmus_api.openapi.document import OPENAPI, document

__all__ = ["OPENAPI", "document"]
