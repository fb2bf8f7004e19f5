"""Writing: `greedy`, `sampling` and `beam` for tokens, `reply` for an answer, `session` for a talk."""
