"""Message: what tells one message from another."""

from pydantic import Field

from isthmus_api.model import Model, Text, WholeExpression
from isthmus_api.rules import only_with


class Message(Model):
    """Which thing a message is about, and how new it is. Read when the message is accepted."""

    rules = (only_with("version", "key"),)

    key: Text | None = Field(
        None,
        description="What the message is about, such as `{% order_number %}`; a message without "
        "one is rejected.",
    )
    version: WholeExpression | None = Field(
        None,
        description="How new it is: a number, or a text that sorts as it ages. A message that is "
        "older than what was delivered last for its key is skipped. Messages of a key go one by "
        "one then, as with order: key.",
    )
