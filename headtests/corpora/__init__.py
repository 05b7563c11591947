"""Documents and where they come from: texts, tokenisation, the population, batches.

`specs` and `given` say what is asked for, `sources` and `synthetic` read it, `tokens` cuts and
frames it, `vocabulary` says what ids mean, `spool` and `population` keep it, `batches` lines it up
for a model. Importing this imports no torch, no transformers and no datasets.
"""

from headtests.corpora.batches import Batch, make_batches
from headtests.corpora.documents import Document
from headtests.corpora.given import GivenTexts
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
