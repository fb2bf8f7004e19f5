"""How the learning rate goes through a phase: it rises, then stays or falls."""

import math

from tinychat.config import TrainConfig

START = 0.01
"""Share of the learning rate at which a warm-up begins. At 0 the first update would be wasted; this one
counts, and is small beside those of Adam without a warm-up, which are largest while it knows least."""


def learning_rate(config: TrainConfig, progress: float) -> float:
    """The rate of an update before which the share `progress`, in [0, 1), of the phase is done.

    With w = warmup, f = final_lr and t = (progress - w) / (1 - w), it is config.lr times

    START + (1 - START) * progress / w      while progress < w (Goyal et al. 2017, section 2.2), and then
    1                                       constant
    f + (1 - f) * (1 + cos(pi t)) / 2       cosine (Loshchilov & Hutter 2017, equation 5, without restarts)
    f + (1 - f) * (1 - t)                   linear
    sqrt(w / progress)                      inverse_sqrt (Vaswani et al. 2017, equation 3)
    """
    w, f = config.warmup, config.final_lr
    if progress < w:
        return config.lr * (START + (1 - START) * progress / w)
    t = (progress - w) / (1 - w)
    if config.schedule == "cosine":
        return config.lr * (f + (1 - f) * (1 + math.cos(math.pi * t)) / 2)
    if config.schedule == "linear":
        return config.lr * (f + (1 - f) * (1 - t))
    if config.schedule == "inverse_sqrt":
        return config.lr * math.sqrt(w / progress)
    return config.lr
