"""The parts of a record, made from sessions and decided claims."""
