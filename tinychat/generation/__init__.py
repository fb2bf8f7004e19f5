"""Writing: `greedy` for the next token, `reply` for an answer, `session` for a conversation."""
