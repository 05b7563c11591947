"""The report: a record as a self-contained HTML file, and the comparison of two records.

`python -m headtests.report RECORD.json` draws it again. The record is the only input: nothing is
measured or decided here, and neither torch nor transformers is imported.
"""

from headtests.report.page.html import render_html, write_html

__all__ = ["render_html", "write_html"]
