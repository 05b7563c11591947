"""Explanations of heads that are measured: who makes them, and what the measurement says."""
