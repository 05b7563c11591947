"""The report: a record of a run as one HTML file that asks for nothing, and two runs compared.

`python -m headtests.report RECORD.json` draws it again. Only what stands in the record is drawn;
nothing is measured or decided here, and neither torch nor transformers is imported.
"""

from headtests.report.page.html import render_html, write_html

__all__ = ["render_html", "write_html"]
