"""What a page says of the corpus that a run read."""

from headtests.report.words.sessions import corpus_facts
from tests.report import sample


def facts(**corpus):
    record = sample.session(**corpus)["corpus"]
    return [(fact.name, fact.value) for fact in corpus_facts(record)]


def test_files_rows_and_beginnings_are_shown():
    names = [f"part-{number}.jsonl" for number in range(20)]
    left = [
        {"reason": "Hidden files", "files": 1, "names": [".\u202ea"]},
        {"reason": "Files of no kind that is read", "files": 900, "names": ["a.png"] * 20},
    ]
    samples = [{"document": 1000, "text": "7", "beginning": "a\n\x1b[31mcat"}]
    shown = facts(
        files=30, file_names=names, files_after=3, files_left_out=left, rows=1234, samples=samples
    )
    assert ("Files read", f"30: {', '.join(names[:5])}, 25 more") in shown
    assert ("Files after the last document", "3") in shown
    assert ("Files left out", "1: .U+202Ea (hidden files)") in shown
    png = ", ".join(["a.png"] * 5)
    assert ("Files left out", f"900: {png}, 895 more (files of no kind that is read)") in shown
    assert ("Rows read", "1,234") in shown
    assert ("Document 1,000 begins", "a\u21b5U+001B[31mcat") in shown


def test_that_no_file_was_left_out_is_said_of_files_only():
    assert ("Files left out", "none") in facts(files=1, file_names=["a.txt"])
    assert not any(name.startswith("Files") for name, _ in facts())
