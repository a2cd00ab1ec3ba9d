"""Random images as colorizers colour them, the same for every colorizer."""

from collections.abc import Callable

import torch
from torch import Tensor

from colorizer.colorizer import Sampling
from colorizer.evaluation.references import References
from colorizer.pictures import Examples, colorize_examples, random_indices

# Images of examples.png, and draws of each in samples.png.
EXAMPLES, DRAWS = 10, 4


def examples_of(colorizer: Callable[[Tensor], Tensor], rows: References) -> Examples:
    """Colour random images of the split."""
    images = rows.data.split(rows.split).images
    indices = random_indices(len(images), EXAMPLES, seed=0)
    return colorize_examples(colorizer, images[indices], rows.device)


def draws_of(colorizer: Sampling, rows: References) -> list[Tensor]:
    """Colour the same images several times: uint8 (N, 3, H, W) each."""
    generator = torch.Generator(rows.device).manual_seed(0)

    def draw(gray: Tensor) -> Tensor:
        return colorizer.sample(gray, 1, generator)[0]

    return [examples_of(draw, rows).predicted for _ in range(DRAWS)]
