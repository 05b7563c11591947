"""Documents and where they come from: texts, tokenisation, the population, batches.

- `specs`, `in_memory`: which corpus is requested, by name or as texts in memory.
- `files`, `hub_datasets`: which files a corpus is in, local ones and those of the hub.
- `readers`: the values of a column, by one reader for each kind of file.
- `sources`, `synthetic`: read texts, or generate random token ids.
- `tokens`: splits a text into documents and adds special tokens.
- `vocabulary`: the text of token ids.
- `documents`, `spool`, `population`: documents, stored on disk in a fixed order.
- `batches`: pads documents for a forward pass.

Importing this package imports neither torch nor transformers nor datasets. Models are opened in
`headtests.models`.
"""

from headtests.corpora.batches import Batch, make_batches
from headtests.corpora.documents import Document
from headtests.corpora.in_memory import GivenTexts
from headtests.corpora.population import Population, Progress, build_population
from headtests.corpora.specs import BOS_POLICIES, DEMO, REPEATED_RANDOM, CorpusSpec
from headtests.corpora.tokens import TokenPolicy, replace_lone_surrogates
from headtests.corpora.vocabulary import Vocabulary
from headtests.settings import BosPolicy

__all__ = [
    "BOS_POLICIES",
    "DEMO",
    "REPEATED_RANDOM",
    "Batch",
    "BosPolicy",
    "CorpusSpec",
    "Document",
    "GivenTexts",
    "Population",
    "Progress",
    "TokenPolicy",
    "Vocabulary",
    "build_population",
    "make_batches",
    "replace_lone_surrogates",
]
