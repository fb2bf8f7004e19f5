"""The same examples in every run, and one thread a process."""

import numpy  # noqa: F401  the limit below holds for libraries that are loaded
from hypothesis import settings
from threadpoolctl import threadpool_limits

settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")

# Products as small as a test's are slower on two threads, and there is a process a core already.
threadpool_limits(1, "blas")
