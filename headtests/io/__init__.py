"""What is outside of the process: files, JSON and text that others may have written.

`files` writes files whole and reads only regular ones, `json_input` parses JSON of a limited depth,
and `escaping` makes text legible. No format of headtests lives here, and nothing here imports from
the rest of the package.
"""
