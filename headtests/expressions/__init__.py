"""Token expressions and relations: conditions on positions, as immutable nodes.

A node combines with others, prints as the source that makes it, and has an English clause.
Evaluating a node on a document is `headtests.measurement.masks`. No torch, no pytest.

Grammar::

    condition  = side "." ("matches" | "is_" | "follows" | "repeats" | "special"
               | "position" comparison)
    side       = "key" | "query"
    occurrence = "ht.duplicate" | "ht.induction" | "ht.induction.prefix" | "ht.next_token"
    relation   = "ht.previous" | "ht.current" | "ht.first" | "ht.offset" | "ht.rarest"
               | "ht.most_frequent" | occurrence (".latest" | ".earliest")?
               | a function marked "@ht.relation"
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
    most_frequent,
    next_token,
    offset,
    previous,
    rarest,
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
    "most_frequent",
    "next_token",
    "offset",
    "parse_expression",
    "previous",
    "query",
    "rarest",
    "relation",
    "require_relation",
    "require_row_condition",
]
