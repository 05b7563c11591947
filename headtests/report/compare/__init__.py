"""Two runs compared: which claims match, what changed, what else differs."""
