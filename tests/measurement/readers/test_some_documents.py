"""Some documents of each block are passed on, as they are alone."""

import pytest

from headtests.measurement.readers.some_documents import SomeDocuments
from tests import tiny_models
from tests.measurement.pretended import HEAD, OTHER, Model, Witness, sweep_of


@pytest.fixture(scope="module")
def population():
    lengths = [2 + (number * 7) % 11 for number in range(20)]
    with tiny_models.population_of(tiny_models.random_documents(lengths)) as made:
        yield made


@pytest.mark.parametrize("chosen", [range(0, 20, 3), [7], range(20), []], ids=str)
def test_readers_are_given_the_rows_of_some_documents_without_padding(chosen, population):
    witness, other = Witness(), Witness()
    run = sweep_of(Model(), population, HEAD, OTHER, batch_size=6)
    reader = SomeDocuments([witness, other], chosen)
    run.read((HEAD, OTHER), [reader])
    wanted = {(head, document) for head in (HEAD, OTHER) for document in chosen}
    assert dict(witness.given) == dict.fromkeys(wanted, 1) == dict(other.given)
