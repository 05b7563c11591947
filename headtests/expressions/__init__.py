"""Token expressions and relations: conditions on positions, as immutable nodes.

A node combines with others, prints as the source that makes it, and has an English clause.
Evaluating a node on a document is `headtests.measurement.masks`. No torch, no pytest.

Grammar::

    condition  = side "." ("matches" | "is_" | "repeats" | "special" | "position" comparison)
    side       = "key" | "query"
    relation   = "ht.previous" | "ht.current" | "ht.first" | "ht.offset" | "ht.duplicate"
               | "ht.induction" | "ht.induction.latest" | a function marked "@ht.relation"
    expression = condition | relation | expression "&" expression | expression "|" expression
               | "~" expression
"""

from headtests.expressions.arguments import require_relation, require_row_condition
from headtests.expressions.conditions import every_row, key, query
from headtests.expressions.nodes import Expression
from headtests.expressions.parsing import GRAMMAR, parse_expression
from headtests.expressions.relations import (
    current,
    duplicate,
    first,
    induction,
    offset,
    previous,
    relation,
)

__all__ = [
    "GRAMMAR",
    "Expression",
    "current",
    "duplicate",
    "every_row",
    "first",
    "induction",
    "key",
    "offset",
    "parse_expression",
    "previous",
    "query",
    "relation",
    "require_relation",
    "require_row_condition",
]
