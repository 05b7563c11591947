"""A few texts, and what the bundled model does on them: as the package says, and by hand."""

import pytest

import headtests as ht
from headtests.demo import MODEL_FOLDER
from tests import seed_words

MIN_LENGTH, MAX_LENGTH = 6, 24
TEXTS = [
    "The cat sat on the mat. The cat left the mat, and the mat stayed where the cat sat.",
    "If the name is found in the local namespace, the name is bound to the object.",
    "A short one.",
    "The value of the expression is the value of the last expression; the value is returned.",
    "The following example shows how the following example shows how the example is shown.",
    "for line in lines: print(line) and for word in line: print(word) and for letter in word",
    "An object's type is accessed by the built-in function type(); an object's type is fixed.",
]
CPU = ht.Settings(device="cpu")


@pytest.fixture(scope="session")
def by_hand():
    """What Hugging Face's eager attention is on each text."""
    return seed_words.readings(MODEL_FOLDER, TEXTS, MAX_LENGTH)


@pytest.fixture(scope="session")
def data_of():
    """Return a function that makes an `AttentionData` of the bundled model on the CPU."""

    def make(texts=TEXTS, model="demo", min_length=MIN_LENGTH, max_length=MAX_LENGTH, **options):
        options.setdefault("settings", CPU)
        return ht.AttentionData(
            model, texts, min_length=min_length, max_length=max_length, **options
        )

    return make


@pytest.fixture(scope="module")
def data(data_of):
    """The bundled model over the texts."""
    return data_of()
