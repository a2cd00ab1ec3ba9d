"""Where chroma errs: by the size of what is wrong, and how the detail compares with real detail.

An image is the sum of its mean, what blocks of half its size differ from that, and so on down to
single pixels (the Haar wavelets' multiresolution, Mallat 1989): the parts are orthogonal, so their
energies add up to the whole.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.color import luma, rgb_to_chroma
from colorizer.runs.contents import ByScale

# The worst images that shares of the error are given of, in percent.
WORST = (1, 5, 10, 25, 50)


def scale_names(size: int, count: int) -> list[str]:
    """Name the parts of images, coarse to fine, by the pixels of what they hold.

    Args:
        size: of the images.
        count: parts, see `parts`.
    """
    levels = [2**level for level in range(count)]
    coarsest = "mean" if levels[-1] == size else f"{levels[-1]}+"
    return [coarsest, *(f"{small}-{2 * small}" for small in levels[-2::-1])]


def parts(images: Tensor) -> list[Tensor]:
    """Split images into their orthogonal parts, see `scale_names`.

    Shapes: (B, C, H, W) -> (B, C, h, w) each, with (h, w) the fewest pixels that hold a part; its
    energy is its mean square. What does not halve stays in the first part.
    """
    found, block = [], images
    while block.shape[-2] % 2 == 0 and block.shape[-1] % 2 == 0:
        coarse = F.avg_pool2d(block, 2)
        found.append(block - F.interpolate(coarse, scale_factor=2, mode="nearest"))
        block = coarse
    return [block, *found[::-1]]


@dataclass
class ScaleSums:
    """Sums over images for each part of their chroma.

    Args:
        count: images.
        size: of their shorter side, in pixels.
        sums: float64 (parts, 3), mean squares of the error, of predicted and of true chroma.
        joint: float64 (parts, 2, 6), of predicted and of true detail: number, sums, squares and
            product of the strengths of chroma detail and luminance detail.
        errors: mean square error of the chroma of each image, (B,) each.
    """

    count: int = 0
    sums: Tensor | float = 0.0
    joint: Tensor | float = 0.0
    size: int = 0
    errors: list[Tensor] = field(default_factory=list)

    def add(self, prediction: Tensor, target: Tensor) -> None:
        """Add a batch, RGB (B, 3, H, W) in [0, 1] each."""
        predicted, true, light = rgb_to_chroma(prediction), rgb_to_chroma(target), luma(target)
        split = [parts(predicted), parts(true), parts(predicted - true), parts(light)]
        rows, joint = [], []
        for of_predicted, of_true, of_error, of_light in zip(*split, strict=True):
            # Over both channels together, as a squared distance.
            energies = [
                2 * x.double().square().mean((1, 2, 3)).sum()
                for x in (of_error, of_predicted, of_true)
            ]
            rows.append(torch.stack(energies))
            strengths = [x.double().square().sum(1).sqrt() for x in (of_predicted, of_true)]
            joint.append(torch.stack([_joint(x, of_light.double().abs()[:, 0]) for x in strengths]))
        self.count += len(prediction)
        self.size = min(prediction.shape[-2:])
        self.sums = self.sums + torch.stack(rows).cpu()
        self.joint = self.joint + torch.stack(joint).cpu()
        self.errors.append((predicted - true).square().sum(1).flatten(1).mean(1).cpu())

    def summary(self) -> ByScale:
        """Summarise the images.

        Returns:
            Lists over the parts: `scale`, their names; `error`, `predicted` and `true`, mean
            squares of chroma in [-0.5, 0.5]; `with_light` and `true_with_light`, the correlation
            of the strengths of chroma detail and luminance detail. Lists over `WORST`: `worst`,
            percent of the images, and `worst_error`, percent of the error that is theirs.
        """
        assert isinstance(self.sums, Tensor)
        assert isinstance(self.joint, Tensor)
        error, predicted, true = (self.sums / self.count).T.tolist()
        with_light, true_with_light = _correlation(self.joint).T.tolist()
        errors = torch.cat(self.errors).double().sort(descending=True).values
        total = max(float(errors.sum()), 1e-12)
        shares = [
            100 * float(errors[: max(1, round(len(errors) * percent / 100))].sum()) / total
            for percent in WORST
        ]
        return {
            "scale": scale_names(self.size, len(error)),
            "error": error,
            "predicted": predicted,
            "true": true,
            "with_light": with_light,
            "true_with_light": true_with_light,
            "worst": [float(percent) for percent in WORST],
            "worst_error": shares,
        }


def _joint(chroma: Tensor, light: Tensor) -> Tensor:
    count = torch.tensor(float(chroma.numel()), dtype=torch.float64, device=chroma.device)
    products = (chroma, light, chroma * chroma, light * light, chroma * light)
    return torch.stack([count, *(product.sum() for product in products)])


def _correlation(joint: Tensor) -> Tensor:
    """Pearson's correlation from sums: (..., 6) -> (...,); 0 where one of both is constant."""
    count, x, y, xx, yy, xy = joint.unbind(-1)
    covariance = xy / count - x * y / count**2
    variances = (xx / count - (x / count) ** 2) * (yy / count - (y / count) ** 2)
    return torch.where(variances > 1e-20, covariance / variances.clamp(min=1e-20).sqrt(), 0.0)
