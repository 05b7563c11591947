"""The table of docs/attention-data.md: the highest multiples, computed by hand and by headtests.

`python -m tests.docs.side_by_side` prints it.
"""

import headtests as ht
from headtests.demo import MODEL_FOLDER
from headtests.demo.topics import held_out_topics
from tests import seed_words

HEADS = ((0, 0), (0, 2), (1, 0), (1, 2))
MIN_LENGTH, MAX_LENGTH = 10, 30
TOP = 3
HEADER = (
    "head",
    "the words, by hand",
    "headtests, key 0 kept",
    "the later version's code",
    "headtests",
)


def texts():
    """Return the paragraphs of the bundled corpus that are long enough to be read."""
    topics = held_out_topics().texts.values()
    return [part for topic in topics for part in topic.split("\n\n") if len(part) >= 100]


def columns():
    """Return, of each head, the top multiples of each column of the table, as numbers."""
    found = seed_words.readings(MODEL_FOLDER, texts(), MAX_LENGTH)
    kept, suppressed = (
        ht.AttentionData(
            "demo",
            texts(),
            suppress_first_token=suppress,
            settings=ht.Settings(device="cpu", no_cache=True),
        )
        for suppress in (False, True)
    )
    rows = {}
    for layer, head in HEADS:
        by_hand = seed_words.above_average(found, layer, head, MIN_LENGTH)
        over_queries = seed_words.above_average_over_queries(found, layer, head, MIN_LENGTH)
        rows[f"L{layer}H{head}"] = [
            [pair[0] for pair in by_hand[:TOP]],
            [row.multiple for row in kept.get_ranked_multiples(layer, head, num_multiples=TOP)],
            over_queries[:TOP],
            [row.multiple for row in suppressed.get_ranked_multiples(layer, head, None, TOP)],
        ]
    return rows


def table():
    """Return the table as Markdown."""
    lines = [HEADER, ("---",) * len(HEADER)]
    lines += [
        (name, *(", ".join(f"{multiple:.2f}" for multiple in cell) for cell in cells))
        for name, cells in columns().items()
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(table())
