"""What is bundled: the demo model's folder and the list of the demo corpus's texts.

Paths and texts only. How the model was made is `headtests.demo.train`; how texts become
documents is `headtests.corpora`, which treats them like anybody else's.
"""

from pathlib import Path

MODEL_FOLDER = Path(__file__).parent / "model"
"""The bundled Hugging Face folder: configuration, safetensors, tokenizer, model card."""
