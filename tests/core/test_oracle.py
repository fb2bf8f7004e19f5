"""Every layer, and the whole model in training, against PyTorch's automatic differentiation."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from gradients import AnyLayer, random_vectors, randomise, small_batch, small_config, small_model
from numpy.testing import assert_allclose
from trajectory import RECIPE, by_numpy, golden

from tinychat.core.attention import SelfAttention
from tinychat.core.block import Block
from tinychat.core.embedding import Embedding
from tinychat.core.feed_forward import FeedForward
from tinychat.core.loss import CrossEntropy
from tinychat.core.norm import LayerNorm
from tinychat.core.output import OutputProjection
from tinychat.core.parameters import Floats, Ids, Parameters

pytestmark = pytest.mark.oracle

CLOSE = {"rtol": 1e-10, "atol": 1e-12}
heads = pytest.mark.parametrize("n_heads", [1, 2, 3])


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def twin(torch: Any) -> ModuleType:
    import torch_twin

    return torch_twin


@pytest.fixture
def compare(torch: Any, twin: ModuleType) -> Callable[..., None]:
    def compare(
        layer: AnyLayer, parameters: Parameters, x: Floats | Ids, apply: Callable[[dict[str, Any], Any], Any]
    ) -> None:
        """Output, gradient by the input and gradients by all weights, for a random upstream gradient."""
        w = twin.weights_of(parameters)
        x_there = torch.tensor(x, requires_grad=x.dtype == np.float64)
        y_there = apply(w, x_there)
        dy = random_vectors(*y_there.shape, seed=2)
        y_there.backward(torch.tensor(dy))

        assert_allclose(layer.forward(x), y_there.detach().numpy(), **CLOSE)
        dx = layer.backward(dy)
        if dx is not None:
            assert_allclose(dx, x_there.grad.numpy(), **CLOSE)
        there = twin.gradients_of(w)
        for name, here in parameters.views(parameters.grads):
            assert np.abs(here).max() > 1e-6, name
            assert_allclose(here, there[name], **CLOSE, err_msg=name)

    return compare


def test_embedding(compare: Callable[..., None], twin: ModuleType) -> None:
    parameters = randomise(Parameters(Embedding.specs(small_config(), "e"), np.float64))
    layer = Embedding(parameters.scope("e"))
    compare(layer, parameters, small_batch()[0], lambda w, ids: twin.embedding(w, "e", ids))


def test_layer_norm(compare: Callable[..., None], twin: ModuleType) -> None:
    parameters = randomise(Parameters(LayerNorm.specs(small_config(), "n"), np.float64))
    layer = LayerNorm(parameters.scope("n"))
    x = 4 * random_vectors(2, 5, 6) + 2
    compare(layer, parameters, x, lambda w, x: twin.layer_norm(w, "n", x))


@heads
def test_attention(compare: Callable[..., None], twin: ModuleType, n_heads: int) -> None:
    config = small_config(n_heads)
    parameters = randomise(Parameters(SelfAttention.specs(config, "a"), np.float64))
    layer = SelfAttention(parameters.scope("a"), config)
    compare(layer, parameters, random_vectors(2, 5, 6), lambda w, x: twin.attention(w, "a", x, n_heads))


def test_feed_forward(compare: Callable[..., None], twin: ModuleType) -> None:
    parameters = randomise(Parameters(FeedForward.specs(small_config(), "f"), np.float64))
    layer = FeedForward(parameters.scope("f"))
    compare(layer, parameters, random_vectors(2, 5, 6), lambda w, x: twin.feed_forward(w, "f", x))


@heads
def test_block(compare: Callable[..., None], twin: ModuleType, n_heads: int) -> None:
    config = small_config(n_heads)
    parameters = randomise(Parameters(Block.specs(config, 0), np.float64))
    layer = Block(parameters, config, 0)
    compare(layer, parameters, random_vectors(2, 5, 6), lambda w, x: twin.block(w, 0, x, n_heads))


def test_output(compare: Callable[..., None], twin: ModuleType) -> None:
    parameters = randomise(Parameters(OutputProjection.specs(small_config(), "o"), np.float64))
    layer = OutputProjection(parameters.scope("o"))
    compare(layer, parameters, random_vectors(2, 5, 6), lambda w, x: twin.output(w, "o", x))


def test_cross_entropy(torch: Any, twin: ModuleType) -> None:
    _, targets = small_batch()
    logits = 3 * random_vectors(2, 5, 7)
    there = torch.tensor(logits, requires_grad=True)
    loss_there = twin.cross_entropy(there, torch.tensor(targets))
    loss_there.backward()
    cross_entropy = CrossEntropy(np.dtype(np.float64))
    assert_allclose(cross_entropy.forward(logits, targets).mean, loss_there.item(), rtol=1e-12)
    assert_allclose(cross_entropy.backward(), there.grad.numpy(), **CLOSE)


@heads
def test_transformer(compare: Callable[..., None], twin: ModuleType, n_heads: int) -> None:
    model = small_model(n_heads)
    compare(model, model.parameters, small_batch()[0], lambda w, ids: twin.transformer(w, model.config, ids))


@heads
def test_loss_of_the_transformer(torch: Any, twin: ModuleType, n_heads: int) -> None:
    model = small_model(n_heads)
    ids, targets = small_batch()
    w = twin.weights_of(model.parameters)
    loss_there = twin.cross_entropy(
        twin.transformer(w, model.config, torch.tensor(ids)), torch.tensor(targets)
    )
    loss_there.backward()
    assert_allclose(model.loss_and_gradients(ids, targets).mean, loss_there.item(), rtol=1e-12)
    there = twin.gradients_of(w)
    for name, here in model.parameters.views(model.parameters.grads):
        assert_allclose(here, there[name], **CLOSE, err_msg=name)


def test_trajectory_in_float64(torch: Any, twin: ModuleType) -> None:
    here, there = by_numpy(np.float64), twin.trajectory(torch.float64)
    assert_allclose(here.losses, there.losses, rtol=1e-9)
    assert_allclose(here.grad_norms, there.grad_norms, rtol=1e-9)
    # Found: 4e-14, that is ten updates of rounding in weights of about 1.
    assert_allclose(here.parameters, there.parameters, rtol=0, atol=1e-12)


def test_trajectory_in_float32(torch: Any, twin: ModuleType) -> None:
    here, there = by_numpy(np.float32), twin.trajectory(torch.float32)
    assert there.parameters.dtype == np.float32
    assert_allclose(here.losses, there.losses, rtol=2e-5)
    # Adam moves a weight by about lr whatever the size of its gradient: where that is nothing but rounding,
    # a single weight may be off by a part of lr. Altogether they agree to a few units of the last place.
    assert_allclose(here.parameters, there.parameters, rtol=0, atol=RECIPE.lr / 5)
    off = np.linalg.norm(here.parameters - there.parameters) / np.linalg.norm(there.parameters)
    assert off < 2e-6


def test_the_1e_6_that_torch_adds_when_it_clips_is_below_the_tolerance(torch: Any, twin: ModuleType) -> None:
    there = twin.trajectory(torch.float64, twin.clip_as_torch_does)
    assert_allclose(by_numpy(np.float64).losses, there.losses, rtol=1e-9)


def test_the_golden_file_is_what_torch_finds(torch: Any, twin: ModuleType) -> None:
    there, stored = twin.trajectory(torch.float64).to_golden(), golden()
    assert_allclose(there["losses"], stored["losses"], rtol=1e-12)
    assert_allclose(there["grad_norms"], stored["grad_norms"], rtol=1e-12)
    assert there["parameter_norms"] == pytest.approx(stored["parameter_norms"], rel=1e-12)
