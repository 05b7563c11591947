"""The HTML page: what it shows of a record, and the templates that show it."""
