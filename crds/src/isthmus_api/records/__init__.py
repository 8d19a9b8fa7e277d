"""Records: what a document is cut into while it comes in; the same as its functions read at once.

    Unreadable          a ValueError: the document is not what it should be
    ├── TooLarge        a record of it is larger than it may be
    └── ElementMissing  it holds other elements than those that were looked for

A text of these errors goes on from what names the document: "has 3 cells in line 4, not 2 as in its
first row".
"""

from isthmus_api.records.csv_rows import CsvRows
from isthmus_api.records.errors import ElementMissing, TooLarge, Unreadable
from isthmus_api.records.json_lines import JsonLines
from isthmus_api.records.xml_elements import XmlElements

__all__ = ["CsvRows", "ElementMissing", "JsonLines", "TooLarge", "Unreadable", "XmlElements"]
