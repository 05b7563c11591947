"""Opens models and reads the attention rows of heads: the only package that runs a model.

- `config`: the shape of a model, from its configuration alone.
- `files`: which files a model is opened from, and what is wrong with them.
- `gguf_header`, `gguf_source`: the same for a GGUF file, and its dequantised copy in the cache.
- `source`, `loading`: open the tokenizer and the weights.
- `weight_checks`: whether the weights fit the configuration.
- `loaded`: an open model, as the rest of headtests uses it.
- `probe`: decides by which backend the rows of a model can be read.
- `attention_interface`, `bridge_hooks`: the two backends, transformers and transformer_lens.
- `batching`: which documents of a batch may run together.
- `row_reading`: one batch on its way through a backend.
- `row_softmax`, `row_checks`: rows from queries and keys, and their validation.

What is computed from rows, and which documents run when, is up to `headtests.measurement`.

This file exports nothing, so that importing `config` imports no torch: to collect the heads of a
marker such as "L1H*", the number of heads is enough.
"""
