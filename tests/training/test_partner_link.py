"""A partner comes when it is worth it, its death is told, and without one training goes on alone."""

import errno
import subprocess
import sys
import time
from pathlib import Path

import pytest
from partners import ROWS, joined
from tiny_runs import comparable, start

from tinychat.errors import WorkerError
from tinychat.training import partner_link, shared_model
from tinychat.training.partner import Partner


def test_a_short_training_starts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partner_link, "START_AFTER_S", 100.0)
    monkeypatch.setattr(partner_link, "start_process", lambda _: pytest.fail("not worth it"))
    for _ in start(workers=2).run():
        pass


def test_without_room_or_process_it_goes_on_alone(
    partners: list[Partner], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    def ended(_: str) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], stdin=pipe, stdout=pipe)

    def new_folder() -> Path:
        folder = tmp_path / str(time.monotonic_ns())
        folder.mkdir()
        return folder

    alone = start(workers=1)
    wanted = comparable(alone.run())
    for failure, part in ((full, "Desk"), (no_memory, "Desk"), (no_memory, "make_optimizer")):
        with monkeypatch.context() as patch:
            patch.setattr(shared_model, part, failure)
            patch.setattr(shared_model, "mkdtemp", lambda prefix: str(new_folder()))
            assert comparable(start(workers=2).run()) == wanted
            assert not list(tmp_path.iterdir())
        assert not partners
    for start_process in (full, ended):
        monkeypatch.setattr(partner_link, "start_process", start_process)
        assert comparable(start(workers=2).run()) == wanted
        assert len(partners) == 2
        assert not any(partner.link.is_here for partner in partners)
        partners.clear()


def test_the_death_of_the_partner_is_told(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        process = joined(partner).link.process
        assert process is not None
        process.kill()
        with pytest.raises(WorkerError, match="--workers 1"):
            partner.loss_and_gradients(ROWS[1:], [None])


def test_it_ends_when_nobody_is_there_any_more(partners: list[Partner]) -> None:
    run = start(workers=2)
    with Partner(run.model, run.model.card.configs["tune"]) as partner:
        process = joined(partner).link.process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
