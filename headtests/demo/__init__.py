"""The bundled demo: the folder of the model and the texts of the corpus (`topics`).

Paths and texts only. `train` made the model; `headtests.corpora` reads the texts like those of any
other corpus.
"""

from pathlib import Path

MODEL_FOLDER = Path(__file__).parent / "model"
"""The bundled Hugging Face folder: configuration, safetensors, tokenizer, model card."""
