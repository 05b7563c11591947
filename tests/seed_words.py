"""Multiples as a notebook's few lines compute them, from Hugging Face's own eager attention.

An oracle: nothing of the package is used but the folder of the bundled model.
"""

from typing import NamedTuple

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


class Reading(NamedTuple):
    """One text as the model reads it."""

    ids: list[int]
    attention: np.ndarray
    """Shape `[layer, head, query, key]`."""


def readings(folder, texts, max_length):
    """Return each text's first ids and its attention; the tokenizer adds what it adds."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    found = []
    for text in texts:
        ids = tokenizer(text)["input_ids"][:max_length]
        with torch.inference_mode():
            layers = model(torch.tensor([ids]), output_attentions=True).attentions
        found.append(Reading(ids, torch.cat(layers).double().numpy()))
    return found


def as_said(attention):
    """Return multiples as the words have them: attention over the row's average, `[query, key]`."""
    return attention * (np.arange(len(attention)) + 1)[:, None]


def over_queries(attention):
    """Return attention without position 0, over its mean over queries: the later version's code.

    `[query, key]`, both from position 1 on.
    """
    rest = attention[1:, 1:]
    return rest / rest.mean(axis=0)


def above_average(found, layer, head, min_length, suppressed=False):
    """Return `(multiple, text, query, key)` of every multiple over 1, the highest first."""
    pairs = []
    for text, reading in enumerate(found):
        multiples = as_said(reading.attention[layer, head])
        for query in range(min_length, len(multiples)):
            for key in range(int(suppressed), query + 1):
                if multiples[query, key] > 1:
                    pairs.append((float(multiples[query, key]), text, query, key))
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))


def above_average_over_queries(found, layer, head, min_length):
    """Return the multiples over 1 of the later version, the highest first."""
    highest = []
    for reading in found:
        multiples = over_queries(reading.attention[layer, head])
        # Rows are counted without position 0 here.
        rows = multiples[max(0, min_length - 1) :]
        highest += rows[rows > 1].tolist()
    return sorted(highest, reverse=True)
