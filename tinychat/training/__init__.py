"""Learning: `run` for a whole run, `trainer` for a phase, `events` for what they tell."""
