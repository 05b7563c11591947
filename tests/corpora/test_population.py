import gc
import json
import os
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headtests.corpora import CorpusSpec, GivenTexts, TokenPolicy, build_population
from headtests.demo import topics
from headtests.errors import CorpusError, SettingError
from headtests.statistics.hashing import keyed_hash

FIXED = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def corpus(folder, texts):
    path = folder / "corpus.jsonl"
    lines = [json.dumps({"text": text}) for text in texts]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


TEXTS = ["the first text is short", "the second one is quite a bit longer than that", "a third"]


def test_demo_is_every_token_of_every_topic_in_order(demo):
    with build_population(CorpusSpec(), demo, max_length=64) as population:
        rebuilt = {}
        for document in population:
            assert document.ids[0] == 0
            rebuilt.setdefault(document.text_id, []).extend(document.ids[1:].tolist())
        policy = TokenPolicy(demo)
        expected = topics.held_out_topics().texts
        assert rebuilt == {name: policy.encode(text) for name, text in expected.items()}
        assert population.texts == len(expected)
        assert population.is_whole
        assert population.description == f"all {len(population):,} documents of demo"
        assert population.bos_effect == "<|endoftext|> before each document"


def test_documents_have_stable_ids_and_pieces(demo, tmp_path):
    spec = CorpusSpec(corpus(tmp_path, TEXTS))
    population = build_population(spec, demo, max_length=8)
    assert [document.id for document in population] == list(range(len(population)))
    pieces = [(document.text_id, document.piece) for document in population]
    policy = TokenPolicy(demo)
    assert pieces == [
        (str(number), piece)
        for number, text in enumerate(TEXTS)
        for piece in range(len(policy.documents_of(text, 8)))
    ]
    assert population.lengths.tolist() == [len(document) for document in population]
    assert population.tokens == sum(len(document) for document in population)
    assert population.texts == 3
    assert len(population[np.int64(1)]) == population.lengths[1]
    with pytest.raises(IndexError):
        population[len(population)]


def test_the_first_documents_are_taken_and_no_more(demo, tmp_path):
    name = corpus(tmp_path, TEXTS)
    whole = build_population(CorpusSpec(name), demo, max_length=8)
    first = build_population(CorpusSpec(name, first=3), demo, max_length=8)
    assert len(first) == 3
    assert [first.ids(i).tolist() for i in range(3)] == [whole.ids(i).tolist() for i in range(3)]
    assert first.description == f"the first 3 documents of {name}"
    assert not first.is_whole
    assert first.texts == 2, "of the second text only a piece"
    assert first.cuts_last_text
    assert not whole.cuts_last_text


def test_a_corpus_that_ends_just_there_is_whole(demo, tmp_path):
    name = corpus(tmp_path, ["a", "b"])
    for first, is_whole in ((1, False), (2, True), (3, True)):
        population = build_population(CorpusSpec(name, first=first), demo, max_length=8)
        assert population.is_whole is is_whole
        assert not population.cuts_last_text, "the next text is no part of the last one"
    assert population.description == f"all 2 documents of {name}"


def test_what_lies_behind_the_population_is_neither_spoken_of_nor_an_error(demo, tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"text": "a"}\n{"text": ""}\n{"text": 5}\n')
    population = build_population(CorpusSpec(str(path), first=1), demo, max_length=8)
    assert population.notes == ()
    assert not population.is_whole
    with pytest.raises(CorpusError, match="row 2 holds int"):
        build_population(CorpusSpec(str(path), first=2), demo, max_length=8)


@pytest.mark.slow
@FIXED
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=6),
    max_length=st.integers(3, 12),
    first=st.integers(1, 12),
)
def test_nothing_is_dropped_but_what_is_counted(demo, bert, tmp_path, texts, max_length, first):
    name = corpus(tmp_path, ["the anchor", *texts])
    for tokenizer in (demo, bert):
        policy = TokenPolicy(tokenizer)
        expected = [
            (str(number), piece, ids.tolist())
            for number, text in enumerate(["the anchor", *texts])
            for piece, ids in enumerate(policy.documents_of(text, max_length))
        ]
        with build_population(
            CorpusSpec(name, first=first), tokenizer, max_length=max_length
        ) as population:
            found = [(d.text_id, d.piece, d.ids.tolist()) for d in population]
            assert found == expected[:first]
            assert population.is_whole is (first >= len(expected))


def test_what_was_left_out_or_replaced_is_said(bert, tmp_path, monkeypatch):
    texts = [("0", "a\ud800b\udfff"), ("1", " \n "), ("2", "c")]
    monkeypatch.setattr("headtests.corpora.population.texts_of", lambda spec, left_out: iter(texts))
    population = build_population(CorpusSpec(), bert, max_length=64, context=32)
    assert population.notes == (
        "Documents are cut at the model's context of 32 tokens; max_length 64 was asked for.",
        "Texts left out because the tokenizer makes no token of them: 1.",
        "Lone surrogates replaced by U+FFFD: 2.",
    )
    assert len(population) == 2


def test_empty_texts_and_topics_that_changed_are_noted(demo, tmp_path, monkeypatch):
    name = corpus(tmp_path, ["a", "", None])
    assert build_population(CorpusSpec(name), demo, max_length=8).notes == (
        "Empty or missing texts left out: 2.",
    )
    monkeypatch.setitem(topics.TOPICS, "lambda", "0" * 64)
    assert "lambda" in build_population(CorpusSpec(), demo, max_length=64).notes[0]


@pytest.mark.parametrize(
    ("own", "general", "context", "expected"),
    [(None, 9, None, 9), (5, 9, None, 5), (20, 9, None, 20), (20, 9, 12, 12), (None, 9, 4, 4)],
)
def test_the_length_is_the_specs_or_the_runs_within_the_context(
    demo, own, general, context, expected
):
    spec = CorpusSpec(first=20, max_length=own)
    population = build_population(spec, demo, max_length=general, context=context)
    assert population.max_length == expected == population.lengths.max()


@pytest.mark.parametrize(
    ("own", "default", "expected"),
    [(None, "model", "model"), (None, "never", "never"), ("model", "never", "model")],
)
def test_the_bos_policy_is_the_specs_or_the_runs(demo, own, default, expected):
    spec = CorpusSpec(first=2, bos=own)
    population = build_population(spec, demo, max_length=9, default_bos=default)
    assert population.bos == expected
    assert (population.ids(0)[0] == 0) is np.bool_(expected == "model")


def test_the_order_is_a_permutation_that_depends_on_the_seed(demo):
    population = build_population(CorpusSpec(first=50), demo, max_length=32)
    order = population.order(0)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(50))
    assert order.tolist() == sorted(range(50), key=lambda number: keyed_hash(0, number))
    assert order.tolist() == population.order(0).tolist()
    assert order.tolist() != population.order(1).tolist()


@pytest.mark.slow
@FIXED
@given(first=st.integers(1, 60), seed=st.integers(0, 2**32))
def test_the_order_of_two_documents_does_not_depend_on_the_others(demo, first, seed):
    many = build_population(CorpusSpec(first=60), demo, max_length=32).order(seed).tolist()
    few = build_population(CorpusSpec(first=first), demo, max_length=32).order(seed).tolist()
    assert [number for number in many if number < first] == few


def test_the_order_of_texts_keeps_the_pieces_of_each_together(demo, tmp_path):
    name = corpus(tmp_path, [f"{number} {'word ' * (number % 5)}" for number in range(40)])
    population = build_population(CorpusSpec(name), demo, max_length=4)
    order = population.text_order(0)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(len(population)))
    texts = list(population.index.text_ids)
    hashed = sorted(range(len(texts)), key=lambda number: keyed_hash(0, 1, number))
    documents = [population[number] for number in order.tolist()]
    assert list(dict.fromkeys(document.text_id for document in documents)) == [
        texts[number] for number in hashed
    ]
    assert [(document.text_id, document.piece) for document in documents] == [
        (texts[number], piece)
        for number in hashed
        for piece in range(sum(text == number for text in population.index.texts))
    ]
    assert max(population.index.pieces) > 1
    assert order.tolist() == population.text_order(0).tolist()
    assert order.tolist() != population.text_order(1).tolist()


def test_the_order_of_texts_is_not_that_of_documents(demo, tmp_path):
    """Even where each text is one document."""
    name = corpus(tmp_path, [f"text {number}" for number in range(30)])
    population = build_population(CorpusSpec(name), demo, max_length=32)
    assert len(population) == population.texts == 30
    assert population.text_order(0).tolist() != population.order(0).tolist()


@pytest.mark.slow
@FIXED
@given(first=st.integers(1, 60), seed=st.integers(0, 2**32))
def test_the_order_of_two_texts_does_not_depend_on_the_others(demo, first, seed):
    many = build_population(CorpusSpec(first=60), demo, max_length=32).text_order(seed).tolist()
    few = build_population(CorpusSpec(first=first), demo, max_length=32).text_order(seed).tolist()
    assert [number for number in many if number < first] == few


def test_the_hash_is_of_the_exact_ids(demo, tmp_path):
    name = corpus(tmp_path, TEXTS)

    def hashed(**options):
        return build_population(CorpusSpec(name, **options), demo, max_length=16).sha256

    assert hashed() == hashed()
    assert len({hashed(), hashed(first=1), hashed(bos="never"), hashed(max_length=4)}) == 4


def test_a_corpus_of_too_short_documents_is_refused(bare, tmp_path):
    name = corpus(tmp_path, ["a", "b"])
    with pytest.raises(
        CorpusError,
        match=r"every document is too short: the longest has 1 token .*at least 2",
    ):
        build_population(CorpusSpec(name), bare, max_length=8)
    assert len(build_population(CorpusSpec(name, bos="always"), bare, max_length=8)) == 2


def test_one_long_document_is_enough_and_the_short_are_kept(bare, tmp_path):
    name = corpus(tmp_path, ["a", "a b", "c"])
    population = build_population(CorpusSpec(name), bare, max_length=8)
    assert population.lengths.tolist() == [1, 2, 1]


def test_a_corpus_without_text_is_refused_with_what_was_left_out(demo, tmp_path):
    name = corpus(tmp_path, ["", None])
    with pytest.raises(CorpusError, match=r"is empty: it holds no text. Empty .* left out: 2\."):
        build_population(CorpusSpec(name), demo, max_length=8)


@pytest.mark.parametrize("content", ["\n\n\n", "text\n"])
def test_a_file_of_no_row_is_refused(demo, tmp_path, content):
    path = tmp_path / ("corpus.csv" if "text" in content else "corpus.txt")
    path.write_text(content)
    with pytest.raises(CorpusError, match="is empty: it holds no text"):
        build_population(CorpusSpec(str(path)), demo, max_length=8)


@pytest.mark.parametrize("options", [{"max_length": 1}, {"max_length": 8, "context": 1}])
def test_a_length_of_one_token_is_refused(demo, options):
    with pytest.raises(SettingError, match="max_length is 1: expected 2 or more"):
        build_population(CorpusSpec(), demo, default_bos="never", **options)


def test_a_token_without_an_embedding_is_refused(demo):
    with pytest.raises(CorpusError, match=r"token id \d+ .* the model has 300 embeddings"):
        build_population(CorpusSpec(), demo, max_length=64, vocab_size=300)
    assert build_population(CorpusSpec(first=3), demo, max_length=64, vocab_size=1024)


def test_repeated_random_becomes_a_population(demo):
    spec = CorpusSpec("repeated-random", period=4, documents=10)
    population = build_population(spec, demo, max_length=64)
    assert population.description == (
        "all 10 documents of repeated-random (period 4, repeats 2, seed 0)"
    )
    assert population.lengths.tolist() == [9] * 10
    assert population.texts == 10
    assert population[3].text_id == "random-3"
    assert population.bos_effect == "<|endoftext|> before each document"
    few = build_population(CorpusSpec("repeated-random", first=4), demo, max_length=64)
    assert (len(few), few.is_whole) == (4, False)


def test_repeated_random_is_never_cut(demo):
    spec = CorpusSpec("repeated-random")
    with pytest.raises(SettingError, match=r"max_length is 48\. Raise max_length to 49"):
        build_population(spec, demo, max_length=48)
    with pytest.raises(SettingError, match="context is 32"):
        build_population(spec, demo, max_length=64, context=32)


def test_repeated_random_without_bos_says_that_nothing_is_added(byt5):
    spec = CorpusSpec("repeated-random", bos="never", documents=2)
    assert build_population(spec, byt5, max_length=64).bos_effect == "nothing is added"


def test_progress_is_told_of_each_document(demo):
    told = []
    build_population(
        CorpusSpec(first=3), demo, max_length=32, progress=lambda *counts: told.append(counts)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files through /proc")
def test_no_file_is_left_open(demo, tmp_path):
    def open_files():
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    build_population(CorpusSpec(first=1), demo, max_length=32).close()
    before = open_files()
    with build_population(CorpusSpec(first=1), demo, max_length=32, spool_folder=tmp_path):
        assert open_files() > before
        assert os.listdir(tmp_path) == []
    assert open_files() == before
    population = build_population(CorpusSpec(first=1), demo, max_length=32)
    del population
    with pytest.raises(CorpusError):
        build_population(CorpusSpec(), demo, max_length=64, vocab_size=300)
    assert open_files() == before


@pytest.mark.slow
def test_memory_holds_no_ids(demo, tmp_path):
    import tracemalloc

    name = corpus(tmp_path, ["word " * 2000] * 200)
    population = build_population(CorpusSpec(name, first=100), demo, max_length=128)
    population.close()
    tracemalloc.start()
    population = build_population(CorpusSpec(name, first=10**6), demo, max_length=128)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert population.tokens > 400_000
    assert kept < population.tokens, "four bytes a token lie on disk"


COPIES = [
    "The cat sat on the mat.",
    "something else",
    "The cat sat on the mat.",
    "  the CAT\tsat on\nthe mat. ",
    "The cat sat on the mat!",
    "something else",
    "\ufb01ne",
    "fine",
]


def test_equal_texts_are_known_whatever_their_case_white_space_and_characters(demo):
    population = build_population(GivenTexts.of(COPIES), demo, max_length=32)
    assert population.contents.tolist() == [0, 1, 0, 0, 4, 1, 6, 6]
    assert population.is_copy.tolist() == [False, False, True, True, False, True, False, True]


@pytest.mark.parametrize("text", ["\u0390", "\u03b0", "\u1fb7", "stra\xdfe", "\ufb03", "\u01f0x"])
def test_texts_are_equal_in_all_forms_of_characters_and_cases(demo, text):
    texts = [normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    texts += [normalize(form, text.upper()) for form in ("NFC", "NFD")]
    texts += [text.title(), text.casefold()]
    population = build_population(GivenTexts.of(texts), demo, max_length=32)
    assert population.contents.tolist() == [0] * len(texts)


def test_texts_of_which_the_same_beginning_is_read_are_equal(demo):
    long = [f"{'word ' * 40}{end}" for end in ("one", "other")]
    population = build_population(GivenTexts.of(long), demo, max_length=8)
    assert population.is_copy.tolist() == [False, True]


def test_copies_come_last_in_the_order_of_texts(demo):
    population = build_population(GivenTexts.of(COPIES), demo, max_length=32)
    order = population.text_order(5)
    assert population.is_copy[order].tolist() == [False] * 4 + [True] * 4
    first = order[:4].tolist()
    assert first == sorted([0, 1, 4, 6], key=lambda number: keyed_hash(5, 1, number))
