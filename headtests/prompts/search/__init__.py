"""The search for a prompt that breaks a claim, and for the smallest that does.

`hunting` finds one, `shrinking` makes it smaller, in batches that `scoring` puts through a model;
`trying` does one after the other. Which prompts there are is `headtests.prompts`; where a prompt
that was found is kept, the plugin's affair.
"""
