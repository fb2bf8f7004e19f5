"""A model that learns for a while in memory that another process shares."""

import atexit
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeGuard

from tinychat.model import Model
from tinychat.training.blockwise import Blockwise
from tinychat.training.desk import Desk
from tinychat.training.optimizer import Optimizer, make_optimizer
from tinychat.training.partner_process import BLOCKWISE


class SharedModel:
    """A transformer and an optimiser on a desk, as far as the model's own are, to stand in for those."""

    def __init__(self, model: Model) -> None:
        """Raise OSError if there is no room in the folder for temporary files."""
        assert model.optimizer is not None
        self._model, self._own, self._own_optimizer = model, model.transformer, model.optimizer
        self.dtype = self._own.parameters.values.dtype.str
        self.path = Path(mkdtemp(prefix="tinychat-")) / "desk"
        try:
            self.desk = Desk(self.path, model.config, self.dtype, is_new=True)
            self.transformer = self.desk.transformer
            self.transformer.parameters.values[...] = self._own.parameters.values
            self.optimizer = make_optimizer(self._own_optimizer.kind, self.transformer.parameters)
            if is_blockwise(self.optimizer):
                self.optimizer.state = self.desk.state_of(self.optimizer)
            _copy(self._own_optimizer, self.optimizer)
        except BaseException:
            self.remove()
            raise

    def put_in(self) -> None:
        """In the place of the model's own."""
        self._model.transformer, self._model.optimizer = self.transformer, self.optimizer

    def take_out(self) -> None:
        """Give the model its own again, with what was learnt, unless a lesson put others in their place."""
        if self._model.transformer is self.transformer:
            self._own.parameters.values[...] = self.transformer.parameters.values
            _copy(self.optimizer, self._own_optimizer)
            self._model.transformer, self._model.optimizer = self._own, self._own_optimizer

    def remove(self) -> None:
        """The files: now, or, where one that is still mapped cannot be removed, at the end of the program."""
        folder = self.path.parent
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            atexit.register(shutil.rmtree, folder, ignore_errors=True)


def is_blockwise(optimizer: Optimizer) -> TypeGuard[Blockwise]:
    """Whether two processes can share its step."""
    return optimizer.kind in BLOCKWISE


def _copy(optimizer: Optimizer, other: Optimizer) -> None:
    """Give another of its kind the same past."""
    other.updates = optimizer.updates
    for name, vector in optimizer.state.items():
        other.state[name][...] = vector
