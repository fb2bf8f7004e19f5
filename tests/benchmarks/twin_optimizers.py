"""The optimisers of the recipes in PyTorch: fused Adam and AdamW, and Muon."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from tinychat.config import TrainConfig
from tinychat.training.muon import EPS, ITERATIONS, RMS, A, B, C


class Muon(torch.optim.Optimizer):
    """As the field writes it, but in float32: the bfloat16 of torch.optim.Muon is slow on processors."""

    def __init__(self, params: Iterable[nn.Parameter], momentum: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": 0.0, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                buffer = state.setdefault("momentum", torch.zeros_like(p))
                buffer.mul_(group["momentum"]).add_(p.grad)
                update = orthogonal(p.grad.add(buffer, alpha=group["momentum"]))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-group["lr"] * RMS * max(p.shape) ** 0.5)


def orthogonal(x: Tensor) -> Tensor:
    is_high = x.shape[0] > x.shape[1]
    x = x.T if is_high else x
    x = x / x.norm().clamp(min=EPS)
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=B, alpha=C), x, beta=A)
    return x.T if is_high else x


def optimizers_for(module: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Adam; AdamW, under which matrices decay; or AdamW beside Muon for the matrices within blocks."""
    named, betas = dict(module.named_parameters()), (config.beta1, config.beta2)
    if config.optimizer == "adam":
        return [torch.optim.Adam(named.values(), config.lr, betas, config.eps, fused=True)]
    is_muon = config.optimizer == "muon"
    hidden = {name for name, p in named.items() if is_muon and p.ndim == 2 and name.startswith("blocks.")}
    rest = [p for name, p in named.items() if name not in hidden]
    groups = [
        {"params": [p for p in rest if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
    ]
    found: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, config.lr, betas, config.eps, fused=True)]
    if hidden:
        found.append(Muon([named[name] for name in sorted(hidden)], config.momentum, config.weight_decay))
    return found
