"""Optimisers and schedules against PyTorch's."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from textbook import HIDDEN, SPECS, Step, random_gradients, small_parameters, update

from tinychat.config import TrainConfig
from tinychat.core.parameters import Floats
from tinychat.training.optimizer import make_optimizer
from tinychat.training.schedule import START, learning_rate

pytestmark = pytest.mark.oracle

DTYPES = [np.float64, np.float32]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
BETAS, EPS = (0.8, 0.95), 1e-6


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


class Twin:
    """The same values as named tensors, moved by one optimiser or several."""

    def __init__(self, torch: Any, dtype: type[np.floating]) -> None:
        parameters = small_parameters(dtype)
        self.views = parameters.views
        self.torch = torch
        self.tensors = {
            name: torch.tensor(view, requires_grad=True) for name, view in parameters.views(parameters.values)
        }
        self.optimizers: list[Any] = []

    def chosen(self, yes: Callable[[str, Any], bool]) -> list[Any]:
        return [tensor for name, tensor in self.tensors.items() if yes(name, tensor)]

    def groups(self, decay: float, names: set[str] | None = None) -> list[dict[str, Any]]:
        """Matrices with decay, all else without it; of the parameters named."""
        names = set(self.tensors) if names is None else names
        return [
            {"params": self.chosen(lambda n, t: n in names and t.ndim > 1), "weight_decay": decay},
            {"params": self.chosen(lambda n, t: n in names and t.ndim == 1), "weight_decay": 0.0},
        ]

    def after(self, steps: list[Step]) -> Floats:
        for gradient, _, lr in steps:
            for name, view in self.views(gradient):
                self.tensors[name].grad = self.torch.tensor(view, dtype=self.tensors[name].dtype)
            for optimizer in self.optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = lr
                optimizer.step()
        return np.concatenate([tensor.detach().numpy().ravel() for tensor in self.tensors.values()])


def ten_steps(kind: str, dtype: type[np.floating], decay: float = 0.0, momentum: float = 0.7) -> list[Step]:
    config = TrainConfig(
        optimizer=kind,  # type: ignore[arg-type]
        beta1=BETAS[0],
        beta2=BETAS[1],
        eps=EPS,
        weight_decay=decay,
        momentum=momentum,
    )
    return [(g.astype(dtype), config, 0.05 / t) for t, g in enumerate(random_gradients(10), start=1)]


def compare(kind: str, twin: Twin, steps: list[Step], atol: float | None = None) -> None:
    dtype = steps[0][0].dtype
    parameters = small_parameters(dtype.type)
    start = parameters.values.copy()
    found, wanted = update(make_optimizer(kind, parameters), steps), twin.after(steps)
    assert found.dtype == wanted.dtype == dtype
    assert np.abs(wanted - start).max() > 0.05
    if atol is None:
        atol = 1e-10 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(found, wanted, rtol=0, atol=atol)


@every_dtype
def test_adam(torch: Any, dtype: type[np.floating]) -> None:
    twin = Twin(torch, dtype)
    twin.optimizers.append(torch.optim.Adam(twin.tensors.values(), 1.0, BETAS, EPS))
    compare("adam", twin, ten_steps("adam", dtype))


@every_dtype
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_adamw(torch: Any, dtype: type[np.floating], decay: float) -> None:
    twin = Twin(torch, dtype)
    twin.optimizers.append(torch.optim.AdamW(twin.groups(decay), 1.0, BETAS, EPS))
    compare("adamw", twin, ten_steps("adamw", dtype, decay))


@every_dtype
@pytest.mark.parametrize("momentum", [0.7, 0.0])
def test_sgd(torch: Any, dtype: type[np.floating], momentum: float) -> None:
    """Without decay: that of torch.optim.SGD goes through the momentum, ours does not."""
    twin = Twin(torch, dtype)
    twin.optimizers.append(
        torch.optim.SGD(twin.tensors.values(), 1.0, momentum=momentum, nesterov=momentum > 0)
    )
    compare("sgd", twin, ten_steps("sgd", dtype, momentum=momentum))


@every_dtype
def test_the_decay_of_sgd_is_that_of_adamw(torch: Any, dtype: type[np.floating]) -> None:
    """torch.optim.AdamW first shrinks, and with an eps beyond all bounds does nothing else."""
    twin = Twin(torch, dtype)
    twin.optimizers.append(torch.optim.AdamW(twin.groups(0.3), 1.0, (0.0, 0.0), 1e300))
    twin.optimizers.append(torch.optim.SGD(twin.tensors.values(), 1.0, momentum=0.7, nesterov=True))
    compare("sgd", twin, ten_steps("sgd", dtype, 0.3))


@pytest.fixture
def in_float64(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch.optim.Muon iterates in bfloat16 whatever its matrices are; here it is made to use float64."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda tensor: tensor.double().clone())


@pytest.fixture
def muon_twin(torch: Any) -> Callable[[type[np.floating]], Twin]:
    """torch.optim.Muon takes matrices only, so AdamW has the others there too.

    Its momentum is a mean, ours a sum: a factor that the norm takes out, but for the eps below which a
    momentum counts as 0. It counts rows for outputs and we columns, which the scale for AdamW does not mind.
    """

    def build(dtype: type[np.floating]) -> Twin:
        twin = Twin(torch, dtype)
        twin.optimizers.append(
            torch.optim.Muon(
                twin.chosen(lambda name, _: name in HIDDEN),
                1.0,
                weight_decay=0.3,
                momentum=0.7,
                nesterov=True,
                adjust_lr_fn="match_rms_adamw",
            )
        )
        others = {spec.name for spec in SPECS} - HIDDEN
        twin.optimizers.append(torch.optim.AdamW(twin.groups(0.3, others), 1.0, BETAS, EPS))
        return twin

    return build


@pytest.mark.usefixtures("in_float64")
def test_muon(muon_twin: Callable[[type[np.floating]], Twin]) -> None:
    compare("muon", muon_twin(np.float64), ten_steps("muon", np.float64, 0.3))


@every_dtype
def test_muon_beside_one_of_eight_bits(
    muon_twin: Callable[[type[np.floating]], Twin], dtype: type[np.floating]
) -> None:
    """Five products after one another, each right to 1 in 256."""
    compare("muon", muon_twin(dtype), ten_steps("muon", dtype, 0.3), atol=0.005)


N_UPDATES, N_WARM = 60, 12


def rates(torch: Any, build: Callable[[Any], Any]) -> Iterator[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.8)
    scheduler = build(optimizer)
    for _ in range(N_UPDATES):
        yield optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("final_lr", [0.0, 0.1])
@pytest.mark.parametrize(
    ("schedule", "n_warm"),
    [(schedule, n) for schedule in ("constant", "linear", "cosine") for n in (0, N_WARM)]
    + [("inverse_sqrt", N_WARM)],
)
def test_schedules(torch: Any, schedule: str, n_warm: int, final_lr: float) -> None:
    lr_scheduler = torch.optim.lr_scheduler
    n_falling = N_UPDATES - n_warm
    falls: dict[str, Callable[[Any], Any]] = {
        "constant": lambda o: lr_scheduler.ConstantLR(o, 1.0),
        "linear": lambda o: lr_scheduler.LinearLR(o, 1.0, final_lr, n_falling),
        "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, n_falling, eta_min=0.8 * final_lr),
        "inverse_sqrt": lambda o: lr_scheduler.LambdaLR(o, lambda t: (n_warm / (n_warm + t)) ** 0.5),
    }

    def build(optimizer: Any) -> Any:
        if not n_warm:
            return falls[schedule](optimizer)
        warm_up = lr_scheduler.LinearLR(optimizer, START, 1.0, n_warm)
        return lr_scheduler.SequentialLR(optimizer, [warm_up, falls[schedule](optimizer)], [n_warm])

    config = TrainConfig(lr=0.8, schedule=schedule, warmup=n_warm / N_UPDATES, final_lr=final_lr)  # type: ignore[arg-type]
    found = [learning_rate(config, step / N_UPDATES) for step in range(N_UPDATES)]
    np.testing.assert_allclose(found, list(rates(torch, build)), rtol=1e-10, atol=1e-14)
