"""What sessions decided and measured, as the parts of a record."""
