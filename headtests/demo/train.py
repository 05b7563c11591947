"""Trains the bundled model: `python -m headtests.demo.train`, seeded, minutes on two cores.

With `--checkpoints DIR`, checkpoints are saved during training, for `headtests trace`.

The model is a two-layer GPT-2, trained on documentation that ships with CPython. Half of each batch
is repeated random tokens, so that induction heads form. The topics of the demo corpus are held out:
training paragraphs that share eight consecutive words with one of them are dropped. The recipe, the
held-out loss and measured scores of each head are written to the model card. Nothing here is
imported by the rest of the package.
"""

import argparse
import ast
import json
import platform
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from headtests.demo import MODEL_FOLDER
from headtests.demo.topics import held_out_topics

BOS = "<|endoftext|>"
SHINGLE_WORDS = 8
HALVINGS = 3
"""How often the number of steps is halved to get the first checkpoint after step 0."""
SKIPPED_FOLDERS = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "turtledemo"}
)


@dataclass(frozen=True)
class Recipe:
    """Everything that the weights depend on, apart from the documentation of the interpreter."""

    layers: int = 2
    heads: int = 4
    width: int = 128
    vocabulary: int = 1024
    context: int = 128
    rows: int = 32
    steps: int = 4000
    learning_rate: float = 4e-3
    seed: int = 0


def training_paragraphs() -> list[str]:
    """Return the paragraphs that share no eight consecutive words with the corpus."""
    held_out = {shingle for text in held_out_topics().texts.values() for shingle in _shingles(text)}
    return [
        paragraph
        for text in _documentation()
        for paragraph in text.split("\n\n")
        if paragraph.strip() and held_out.isdisjoint(_shingles(paragraph))
    ]


def _shingles(text: str) -> Iterator[tuple[str, ...]]:
    words = text.split()
    for start in range(max(1, len(words) - SHINGLE_WORDS + 1)):
        shingle = tuple(words[start : start + SHINGLE_WORDS])
        if len(shingle) == SHINGLE_WORDS:
            yield shingle


def _documentation() -> Iterator[str]:
    from pydoc_data.topics import topics

    corpus = held_out_topics().texts
    for name in sorted(topics):
        if name not in corpus:
            yield topics[name]
    library = Path(sysconfig.get_path("stdlib"))
    for source in sorted(library.rglob("*.py")):
        if SKIPPED_FOLDERS.isdisjoint(source.relative_to(library).parts):
            yield from _docstrings(source)


def _docstrings(source: Path) -> Iterator[str]:
    try:
        tree = ast.parse(source.read_bytes())
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield docstring


def train_tokenizer(paragraphs: list[str], recipe: Recipe) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer that adds `<|endoftext|>` at the start, as in training."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        paragraphs,
        trainers.BpeTrainer(
            vocab_size=recipe.vocabulary,
            special_tokens=[BOS],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    bpe.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, bpe.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # untyped upstream
        tokenizer_object=bpe,
        bos_token=BOS,
        eos_token=BOS,
        pad_token=BOS,
        unk_token=BOS,
        model_max_length=recipe.context,
    )


def text_rows(stream: torch.Tensor, count: int, recipe: Recipe, bos: int) -> torch.Tensor:
    """Return BOS and a random window of the stream, shape `[count, context]`."""
    starts = torch.randint(len(stream) - recipe.context + 1, (count, 1))
    rows = stream[starts + torch.arange(recipe.context - 1)]
    return torch.cat([torch.full((count, 1), bos), rows], dim=1)


def repeated_rows(count: int, recipe: Recipe, bos: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return BOS and repeated random tokens, and where they are predictable.

    Both have shape `[count, context]`; a token is predictable from its second occurrence on.
    """
    periods = torch.randint(8, (recipe.context - 1) // 2 + 1, (count, 1))
    first = torch.randint(recipe.vocabulary - 1, (count, recipe.context))
    first = first + (first >= bos)
    positions = torch.arange(recipe.context - 1).expand(count, -1)
    rows = torch.cat([torch.full((count, 1), bos), first.gather(1, positions % periods)], dim=1)
    predictable = torch.arange(recipe.context).expand(count, -1) > periods
    return rows, predictable


def checkpoint_steps(steps: int) -> list[int]:
    """Return the optimizer steps after which a checkpoint is saved, in ascending order.

    Step 0, and `HALVINGS` times halved all steps and two thirds of all steps.

    >>> checkpoint_steps(4000)
    [0, 333, 500, 666, 1000, 1333, 2000, 2666, 4000]
    >>> checkpoint_steps(2)
    [0, 1, 2]
    """
    parts = (steps, 2 * steps // 3)
    return sorted({0, *(part >> halvings for part in parts for halvings in range(HALVINGS + 1))})


def train(
    paragraphs: list[str],
    tokenizer: PreTrainedTokenizerFast,
    recipe: Recipe,
    keep: Callable[[int, GPT2LMHeadModel], None] = lambda step, model: None,
) -> GPT2LMHeadModel:
    """Train and return the model; `keep` is called with it before each step and after the last.

    `keep` must neither change the model nor draw random numbers from torch.
    """
    bos = int(tokenizer.bos_token_id)
    ids = tokenizer("\n\n".join(paragraphs), add_special_tokens=False, verbose=False)["input_ids"]
    stream = torch.tensor(ids)
    torch.manual_seed(recipe.seed)
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=recipe.vocabulary,
            n_positions=recipe.context,
            n_embd=recipe.width,
            n_layer=recipe.layers,
            n_head=recipe.heads,
            bos_token_id=bos,
            eos_token_id=bos,
            pad_token_id=bos,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.learning_rate, total_steps=recipe.steps
    )
    model.train()
    for step in range(recipe.steps):
        keep(step, model)
        text = text_rows(stream, recipe.rows // 2, recipe, bos)
        repeated, predictable = repeated_rows(recipe.rows - recipe.rows // 2, recipe, bos)
        rows = torch.cat([text, repeated])
        targets = rows.masked_fill(
            torch.cat([torch.zeros_like(text, dtype=torch.bool), ~predictable]), -100
        )
        logits = model(rows).logits
        loss = cross_entropy(logits[:, :-1].flatten(0, 1), targets[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # untyped upstream
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 250 == 0 or step == recipe.steps - 1:
            print(f"step {step:>5}  loss {loss.item():.3f}", flush=True)
    keep(recipe.steps, model)
    model.eval()  # type: ignore[no-untyped-call]  # untyped upstream
    return model


def held_out_loss(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, recipe: Recipe
) -> float:
    """Return the mean cross entropy on the topics of the demo corpus, in nats per token."""
    total, count = 0.0, 0
    bos = int(tokenizer.bos_token_id)
    for text in held_out_topics().texts.values():
        ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        for start in range(0, len(ids), recipe.context - 1):
            row = torch.tensor([[bos, *ids[start : start + recipe.context - 1]]])
            with torch.inference_mode():
                logits = model(row).logits
            total += cross_entropy(logits[0, :-1], row[0, 1:], reduction="sum").item()
            count += row.shape[1] - 1
    return total / count


def head_scores(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast
) -> dict[str, dict[str, float]]:
    """Return the mean attention of each head on a few relations, over repeated random tokens.

    There are 256 rows of BOS and 24 random tokens, repeated once. Each score, in [0, 1], is the
    mean attention of the queries in the second half on one key: the previous token, the query
    itself, the same token in the first half, the token after that (induction), and position 0.
    """
    period, count = 24, 256
    bos = int(tokenizer.bos_token_id)
    run = torch.randint(
        1, len(tokenizer), (count, period), generator=torch.Generator().manual_seed(1)
    )
    rows = torch.cat([torch.full((count, 1), bos), run, run], dim=1)
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        attentions = model(rows, output_attentions=True).attentions
    queries = torch.arange(period + 1, 2 * period + 1)
    keys = {
        "previous": queries - 1,
        "current": queries,
        "duplicate": queries - period,
        "induction": queries - period + 1,
        "first": torch.zeros_like(queries),
    }
    return {
        f"L{layer}H{head}": {
            name: round(pattern[:, head, queries, key].mean().item(), 3)
            for name, key in keys.items()
        }
        for layer, pattern in enumerate(attentions)
        for head in range(pattern.shape[1])
    }


CARD = """# The demo model of headtests

A GPT-2 of {layers} layers and {heads} heads, width {width}, context {context}, {vocabulary}
byte-level BPE tokens, made by `python -m headtests.demo.train` so that there is a model to test
claims on without a download. It is no language model to use for anything else.

## Data

The documentation that CPython {python} carries: `pydoc_data.topics` and the standard library's
docstrings, {paragraphs:,} paragraphs, {tokens:,} tokens. The {topics} topics of the demo corpus
are held out, and so is every paragraph that shares {shingle} words in a row with one of them. Half
of each batch is random tokens repeated with a period of 8 to {longest_period}. The documentation
is copyright of the Python Software Foundation, under the PSF License; none of it is kept here.

## Recipe

```json
{recipe}
```

AdamW, one-cycle schedule, no dropout, gradients clipped at 1; on repeated rows the loss counts
only tokens that have occurred before. Every row begins with `<|endoftext|>`, which the tokenizer
puts there. Made with torch {torch} and transformers {transformers}; another version gives other
weights.

## Measured

Held-out loss on the demo corpus: {loss:.3f} nats a token (a uniform guess: {uniform:.3f}).

Mean attention over the second run of 24 random tokens that stand twice after a BOS, 256 rows
(not the corpus's rows, and not a statistic of headtests: plain means over query positions):

| head | previous | current | duplicate | induction | first |
| --- | --- | --- | --- | --- | --- |
{table}
"""


def model_card(
    recipe: Recipe, paragraphs: int, tokens: int, loss: float, scores: dict[str, dict[str, float]]
) -> str:
    """Return the text of the model card."""
    table = "\n".join(
        f"| {head} | " + " | ".join(f"{value:.2f}" for value in row.values()) + " |"
        for head, row in scores.items()
    )
    return CARD.format(
        **asdict(recipe),
        python=platform.python_version(),
        paragraphs=paragraphs,
        tokens=tokens,
        topics=len(held_out_topics().texts),
        shingle=SHINGLE_WORDS,
        longest_period=(recipe.context - 1) // 2,
        recipe=json.dumps(asdict(recipe), indent=2),
        torch=torch.__version__,
        transformers=transformers.__version__,
        loss=loss,
        uniform=torch.log(torch.tensor(float(recipe.vocabulary))).item(),
        table=table,
    )


def main() -> None:
    """Train and measure the model, and write its folder."""
    parser = argparse.ArgumentParser(description="Train the demo model of headtests.")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder to write (by default the bundled model's, or none with --checkpoints)",
    )
    parser.add_argument("--steps", type=int, default=Recipe.steps, help="optimizer steps")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="DIR",
        help="also save checkpoints during training, each in a folder such as DIR/step-001000",
    )
    arguments = parser.parse_args()
    # Asking only for checkpoints must not overwrite the bundled model.
    out: Path | None = arguments.out or (None if arguments.checkpoints else MODEL_FOLDER)
    recipe = Recipe(steps=arguments.steps, seed=arguments.seed)
    paragraphs = training_paragraphs()
    tokenizer = train_tokenizer(paragraphs, recipe)
    tokens = len(tokenizer("\n\n".join(paragraphs), verbose=False)["input_ids"])
    print(f"{len(paragraphs):,} paragraphs, {tokens:,} tokens", flush=True)
    kept = set(checkpoint_steps(recipe.steps) if arguments.checkpoints else ())

    def keep(step: int, model: GPT2LMHeadModel) -> None:
        if step in kept:
            folder = arguments.checkpoints / f"step-{step:06}"
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)

    model = train(paragraphs, tokenizer, recipe, keep)
    if out is None:
        return
    loss = held_out_loss(model, tokenizer, recipe)
    scores = head_scores(model, tokenizer)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    card = model_card(recipe, len(paragraphs), tokens, loss, scores)
    (out / "README.md").write_text(card, encoding="utf-8")
    print(card)


if __name__ == "__main__":
    main()
