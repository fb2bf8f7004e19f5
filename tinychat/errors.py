"""What can go wrong, as a tree. A user reads `str(error)`: one line that says what to do."""


class TinychatError(Exception):
    """Base of every error that tinychat raises on purpose; the command line exits with `exit_code`."""

    exit_code = 1


class UsageError(TinychatError):
    """A command, a flag or a prompt that makes no sense."""

    exit_code = 2


class ConfigError(UsageError):
    """A model or training configuration that contradicts itself."""


class CorpusError(TinychatError):
    """A corpus that is missing, empty, or not in a format that is read here."""

    exit_code = 2


class WeightsError(TinychatError):
    """A weights file that is missing, damaged, of another version, or at odds with its own config."""

    exit_code = 2


class StorageError(TinychatError):
    """A place where nothing can be written: no permission, no room, not a folder."""


class TrainingDivergedError(TinychatError):
    """The loss is no longer a finite number."""


class LessonError(TinychatError):
    """What was taught was not learnt, or too much was forgotten."""


class WorkerError(TinychatError):
    """A process that took part in the training is no longer there."""

    are_weights_whole = True
    """False if it went in the middle of an update."""


class TerminalError(UsageError):
    """The full-screen program was started without a terminal."""
