"""What is shown of an atlas: text for a terminal, pages, a comparison, and notebook fragments."""
