"""Instance normalisation of ours against that of torch."""

import pytest
import torch
from torch import nn

from mrviewer_models.blocks.instance_norm import InstanceNorm


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_torch(batch: int, affine: bool, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    theirs, ours = nn.InstanceNorm2d(5, affine=affine), InstanceNorm(5, affine=affine)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter)
    ours.load_state_dict(theirs.state_dict())
    features = (3 * torch.randn(batch, 5, 7, 6) + 2).to(memory_format=layout)
    weights, outputs, gradients = torch.randn(batch, 5, 7, 6), [], []
    for norm in (theirs, ours):
        inputs = features.clone(memory_format=torch.preserve_format).requires_grad_()
        output = norm(inputs)
        (output * weights).sum().backward()
        outputs.append(output.detach())
        gradients.append([inputs.grad, *(parameter.grad for parameter in norm.parameters())])
    assert torch.allclose(*outputs, atol=1e-6)
    for first, second in zip(*gradients, strict=True):
        assert first is not None
        assert second is not None
        assert torch.allclose(first, second, atol=1e-5)


def test_training_and_evaluation_are_the_same() -> None:
    norm, features = InstanceNorm(2), torch.randn(2, 2, 4, 4)
    assert torch.equal(norm.train()(features), norm.eval()(features))
    assert torch.allclose(norm(features)[1:], norm(features[1:]), atol=1e-6)
