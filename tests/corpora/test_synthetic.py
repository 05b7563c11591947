import numpy as np
import pytest

from headtests.corpora import CorpusSpec, Vocabulary
from headtests.corpora.synthetic import random_documents, random_prefix
from headtests.errors import CorpusError, SettingError


def documents(tokenizer, bos="model", max_length=128, context=None, vocab_size=None, **options):
    vocabulary = Vocabulary(tokenizer)
    prefix = random_prefix(vocabulary, bos)
    spec = CorpusSpec("repeated-random", **options)
    return list(random_documents(spec, vocabulary, prefix, max_length, context, vocab_size))


def test_a_document_is_bos_and_a_run_repeated(demo):
    found = documents(demo, period=5, repeats=3, documents=4)
    assert [text_id for text_id, _ in found] == [f"random-{number}" for number in range(4)]
    for _, ids in found:
        assert ids.dtype == np.int32
        assert ids.shape == (16,)
        assert ids[0] == demo.bos_token_id
        assert (ids[1:6] == ids[6:11]).all()
        assert (ids[1:6] == ids[11:16]).all()
    assert len({tuple(ids) for _, ids in found}) == 4


def test_bos_is_cls_where_there_is_no_bos(bert):
    assert all(ids[0] == 101 and 102 not in ids for _, ids in documents(bert, documents=3))


def test_bos_is_there_though_the_tokenizer_puts_none_by_itself(bare):
    assert documents(bare, documents=1)[0][1][0] == bare.bos_token_id


def test_never_puts_none(demo):
    found = documents(demo, "never", documents=3)
    assert all(len(ids) == 48 and 0 not in ids for _, ids in found)


def test_without_a_bos_only_never_will_do(byt5):
    with pytest.raises(SettingError, match=r'no BOS and no CLS .* bos="never"'):
        documents(byt5)
    assert len(documents(byt5, "never")) == 256


def test_special_ids_and_those_without_an_embedding_are_not_drawn(bert):
    found = np.concatenate([ids[1:] for _, ids in documents(bert, documents=200, vocab_size=110)])
    special = Vocabulary(bert).special_ids
    assert set(found.tolist()) == set(range(110)) - special


def test_tokens_are_drawn_uniformly(demo):
    drawn = [ids[1:25] for _, ids in documents(demo, documents=4000)]
    counts = np.bincount(np.concatenate(drawn), minlength=1024)[1:]
    expected = 24 * 4000 / 1023
    chi_square = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi_square - 1022) < 5 * np.sqrt(2 * 1022)


def test_documents_depend_on_the_seed_and_not_on_how_many_follow(demo):
    few, many = documents(demo, documents=3), documents(demo, documents=9)
    assert [ids.tolist() for _, ids in few] == [ids.tolist() for _, ids in many[:3]]
    other = documents(demo, documents=3, seed=1)
    assert [ids.tolist() for _, ids in few] != [ids.tolist() for _, ids in other]


def test_a_document_longer_than_it_may_be_is_refused_with_what_to_change(demo):
    with pytest.raises(SettingError, match=r"49 tokens .* max_length is 48. Raise max_length"):
        documents(demo, max_length=48)
    with pytest.raises(SettingError, match=r"context is 48\. Lower period or repeats\."):
        documents(demo, max_length=20, context=48)
    assert documents(demo, max_length=49, context=49)


def test_nothing_to_draw_is_refused(demo):
    with pytest.raises(CorpusError, match="no token to draw"):
        documents(demo, vocab_size=1)
