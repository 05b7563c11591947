"""The comparison of two runs: matching claims, what changed, what else differs."""
