import dataclasses

import numpy as np
import pytest

from headtests.corpora import Document


def test_a_document_is_as_long_as_its_ids():
    assert len(Document(0, "a", 0, np.array([5, 6, 7], dtype=np.int32))) == 3


def test_a_document_cannot_be_changed():
    document = Document(0, "a", 0, np.array([5], dtype=np.int32))
    with pytest.raises(dataclasses.FrozenInstanceError):
        document.id = 1
