"""Records of corpora: what a population is, what it was read from, and how its documents begin."""

from collections.abc import Sequence

from headtests.corpora import Population
from headtests.records import CorpusRecord, FilesLeftOutRecord, SampleRecord

NAMES_RECORDED = 20
"""The most names of files that a record holds, and for each reason why files are left out."""
BEGINNING = 80
"""The number of characters of a document that a record shows."""


def corpus_record(population: Population, notes: Sequence[str] = ()) -> CorpusRecord:
    """Return what a population is and what it was read from; `notes` follow its own."""
    reading, documents = population.reading, len(population)
    samples = [population[number] for number in sorted({0, documents // 2, documents - 1})]
    return CorpusRecord(
        name=population.spec.label,
        description=population.description,
        documents=documents,
        texts=population.texts,
        tokens=population.tokens,
        max_length=population.max_length,
        bos=population.bos,
        bos_effect=population.bos_effect,
        sha256=population.sha256,
        notes=[*population.notes, *notes],
        files=len(reading.files),
        file_names=reading.files[:NAMES_RECORDED],
        files_after=reading.files_to_come,
        files_left_out=[
            FilesLeftOutRecord(reason=reason, files=len(names), names=names[:NAMES_RECORDED])
            for reason, names in reading.files_left_out.items()
        ],
        rows=reading.rows,
        samples=[
            SampleRecord(
                document=document.id,
                text=document.text_id,
                beginning=population.beginning(document.id, BEGINNING),
            )
            for document in samples
        ],
    )
