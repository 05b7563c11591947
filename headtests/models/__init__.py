"""Models, and attention rows of the asked heads: the one package that knows how a model is run.

`config` says what a model is before it is opened, `loading` opens it, `probe` decides how its rows
are read, `attention_interface` and `bridge_hooks` are the two ways, `row_reading` is one batch on
its way through either, and `loaded` is what the rest of headtests sees. What rows amount to, and
which documents run when, is `headtests.measurement`.

Importing this package imports no torch: a marker such as "L1H*" needs the number of heads alone.
"""
