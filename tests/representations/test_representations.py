import pytest
import torch

from colorizer.color import luma
from colorizer.representations import RGB, Representation, YCbCr


@pytest.mark.parametrize("representation", [RGB(), YCbCr()])
def test_decoding_what_was_encoded_gives_the_image(
    representation: Representation, rgb: torch.Tensor
) -> None:
    output = representation.encode(rgb)
    assert output.shape == (len(rgb), representation.channels, 32, 32)
    torch.testing.assert_close(representation.decode(luma(rgb), output), rgb)


def test_ycbcr_cannot_change_the_luminance(rgb: torch.Tensor) -> None:
    gray = luma(rgb)
    decoded = YCbCr().decode(gray, torch.randn(len(rgb), 2, 32, 32))
    torch.testing.assert_close(luma(decoded), gray, atol=1e-5, rtol=1e-5)
