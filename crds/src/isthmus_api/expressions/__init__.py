"""JSONata as Isthmus speaks it.

One engine interface with its guards always set (`engine`, and `jlens_engine` behind it), our
function library (`functions`), `{% … %}` in strings (`templates`) and the linter (`lint`). Pure: no
I/O, no clock of its own; `now` and `seed` come with the message, so that a replay gives the same
output.
"""

from isthmus_api.expressions.bodies import Body, TextBody, ValueBody
from isthmus_api.expressions.engine import (
    Engine,
    EvaluationFault,
    Expression,
    ExpressionError,
    Fields,
    Function,
    GuardExceeded,
    Guards,
    Reads,
    SyntaxFault,
)
from isthmus_api.expressions.functions import library
from isthmus_api.expressions.jlens_engine import ENGINE, JlensEngine
from isthmus_api.expressions.templates import CompiledTemplate, Template
from isthmus_api.expressions.trees import CompiledTree

__all__ = [
    "ENGINE",
    "Body",
    "CompiledTemplate",
    "CompiledTree",
    "Engine",
    "EvaluationFault",
    "Expression",
    "ExpressionError",
    "Fields",
    "Function",
    "GuardExceeded",
    "Guards",
    "JlensEngine",
    "Reads",
    "SyntaxFault",
    "Template",
    "TextBody",
    "ValueBody",
    "library",
]
