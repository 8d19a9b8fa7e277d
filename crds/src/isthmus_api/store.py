"""Store: values that Routes of a namespace share, by key and from the other side."""

from pydantic import Field

from isthmus_api.model import FreeForm, Model, Name, Text
from isthmus_api.quantities import Duration
from isthmus_api.rules import exactly_one_of


class Remember(Model):
    """Write an entry of a store, in place of what is there for its key. The body stays.

    Until the message is done only itself reads it; then it is written with its end, or before the
    answer of a Route that answers. A message that fails leaves nothing behind.
    """

    store: Name = Field(description="The store, which all Routes of the namespace share.")
    key: Text = Field(description="Key of the entry.")
    value: FreeForm = Field(
        None, description="Value of the entry, strings may be templates; left out, the body."
    )
    reference: Text | None = Field(
        None, description="A second key that finds the entry from the other side."
    )
    ttl: Duration | None = Field(
        None, description="How long the entry is there; left out, for ever."
    )


class Lookup(Model):
    """Read an entry of a store: an object with `key`, `reference` and `value`, or null."""

    rules = (exactly_one_of("key", "reference"),)

    store: Name = Field(description="The store, which all Routes of the namespace share.")
    key: Text | None = Field(None, description="Key of the entry.")
    reference: Text | None = Field(None, description="Its second key.")
