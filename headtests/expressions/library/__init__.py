"""Relations and token classes that attention heads are known for; public as `headtests.library`.

`token_classes` and `text_relations` define them, and `catalogue` names them. No measuring here.
"""

from headtests.expressions.library import catalogue, text_relations, token_classes
from headtests.expressions.library.catalogue import *  # noqa: F403 - the names stand there, once.
from headtests.expressions.library.text_relations import *  # noqa: F403
from headtests.expressions.library.token_classes import *  # noqa: F403

__all__ = sorted([*catalogue.__all__, *text_relations.__all__, *token_classes.__all__])
