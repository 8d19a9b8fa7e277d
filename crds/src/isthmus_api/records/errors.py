"""How a document can be none; `isthmus_api.records` draws the tree."""


class Unreadable(ValueError):
    """The document is not what it should be."""


class TooLarge(Unreadable):
    """A record is larger than it may be."""


class ElementMissing(Unreadable):
    """The document has other elements than those that were looked for."""
