from hashlib import sha256
from pydoc_data import topics as carried

import pytest

from headtests.demo.topics import TOPICS, held_out_topics


def test_the_list_names_the_37_topics_that_three_pythons_share():
    assert len(TOPICS) == 37


def test_every_text_has_its_hash():
    found = held_out_topics()
    assert {name: sha256(text.encode()).hexdigest() for name, text in found.texts.items()} == {
        name: digest for name, digest in TOPICS.items() if name not in found.left_out
    }


def test_most_topics_are_found_in_this_python():
    assert len(held_out_topics().texts) >= 30


@pytest.mark.parametrize("change", ["reads differently", None], ids=["changed", "absent"])
def test_a_topic_that_differs_is_left_out_and_named(monkeypatch, change):
    texts = dict(carried.topics)
    if change is None:
        del texts["lambda"]
    else:
        texts["lambda"] += change
    monkeypatch.setattr(carried, "topics", texts)
    found = held_out_topics()
    assert "lambda" in found.left_out
    assert "lambda" not in found.texts
