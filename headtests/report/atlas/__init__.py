"""What is shown of an atlas: text for a terminal, pages, a comparison, and notebook fragments."""

from headtests.report.atlas.comparison import comparison_text, render_comparison, write_comparison
from headtests.report.atlas.fragments import atlas_html, head_html
from headtests.report.atlas.page import render_atlas, write_atlas_page
from headtests.report.atlas.text import atlas_text, head_text

__all__ = [
    "atlas_html",
    "atlas_text",
    "comparison_text",
    "head_html",
    "head_text",
    "render_atlas",
    "render_comparison",
    "write_atlas_page",
    "write_comparison",
]
