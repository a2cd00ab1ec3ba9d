"""The network predicts a distribution over bins of chroma."""

import math
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.color import chroma_to_rgb, rgb_to_chroma
from colorizer.ranges import Positive, Range
from colorizer.representations.base import Representation, enlarged


class ChromaBins(Representation):
    """Logits of bins of chroma; the gray input is the luminance.

    Zhang et al. 2016, "Colorful Image Colorization", in Cb and Cr instead of CIE ab, so that the
    gray input, Rec. 601's luminance, is kept exactly. The bins are the points of a grid of Cb and
    Cr that some colour of the RGB cube has.

    Args:
        step: between neighbours of the grid, in chroma in [-0.5, 0.5].
        temperature: of the annealed mean: 1 is the mean of the predicted distribution, towards 0 it
            becomes its mode.

    Raises:
        ValueError: a step or a temperature out of range.
    """

    def __init__(self, step: Annotated[float, Range(0.005, 0.25)], temperature: Positive) -> None:
        if not 0 < step <= 0.25:
            raise ValueError(f"representation.step={step}: above 0, at most 0.25")
        if not temperature > 0:
            raise ValueError(f"representation.temperature={temperature}: above 0")
        self.step = step
        self.temperature = temperature
        self.radius = math.ceil(0.5 / step)
        with torch.device("cpu"):  # also where a network is built without memory
            self._place_bins(step)

    def _place_bins(self, step: float) -> None:
        points = torch.arange(-self.radius, self.radius + 1)
        grid = torch.cartesian_prod(points, points).float() * step  # (cells, 2)
        offsets = chroma_to_rgb(torch.zeros(len(grid), 1, 1, 1), grid[:, :, None, None]).flatten(1)
        # Some luminance puts the colour into the RGB cube, or one within half a step of it: that
        # moves red minus blue, which moves most, by (1.402 + 1.772) / 2 steps at most.
        possible = offsets.amax(1) - offsets.amin(1) <= 1 + 1.587 * step
        self.channels = int(possible.sum())
        index = torch.full((len(grid),), -1)
        index[possible] = torch.arange(self.channels)
        side = 2 * self.radius + 1
        # With a border, so that a cell always has neighbours.
        table = F.pad(index.view(side, side), (1, 1, 1, 1), value=-1)
        # Not buffers: averaging the weights of a training would average the table, too.
        self._on = {torch.device("cpu"): (grid[possible], table)}

    def centers(self, device: torch.device) -> Tensor:
        """The chroma of the bins: (channels, 2)."""
        return self._tensors(device)[0]

    def _tensors(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """The bins' chroma; and the bin of each cell of the grid, -1 where there is none."""
        if device not in self._on:
            centers, table = self._on[torch.device("cpu")]
            with torch.inference_mode(False):  # training may come after it
                self._on[device] = (centers.to(device), table.to(device))
        return self._on[device]

    def neighbours(self, chroma: Tensor, count: int = 5) -> tuple[Tensor, Tensor]:
        """The soft code of colours: their nearest bins, and a weight for each.

        Weights are a Gaussian of the distance with a standard deviation of half a step, and sum to
        1 (as Zhang et al. do with 5 neighbours, a grid of 10 units and a deviation of 5).

        Args:
            chroma: (B, 2, H, W) in [-0.5, 0.5].
            count: how many bins, at most 9.

        Returns:
            Bins, int64, and weights, both (B, count, H, W), the nearest first.
        """
        all_centers, table = self._tensors(chroma.device)
        cell = (chroma / self.step).round()
        row, column = (cell.long().clamp(-self.radius, self.radius) + self.radius + 1).unbind(1)
        around = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        bins = torch.stack([table[row + i, column + j] for i, j in around], dim=1)
        centers = all_centers[bins.clamp(min=0)]  # (B, 9, H, W, 2)
        distances = (centers - chroma.movedim(1, -1).unsqueeze(1)).square().sum(-1)
        distances = distances.masked_fill(bins < 0, math.inf)
        nearest, which = distances.topk(count, dim=1, largest=False)
        weights = (-nearest / (2 * (self.step / 2) ** 2)).softmax(dim=1)
        return bins.gather(1, which).clamp(min=0), weights

    def encode(self, rgb: Tensor) -> Tensor:
        """The logits of the soft code, whose mean is within a fraction of a step of the colour."""
        bins, weights = self.neighbours(rgb_to_chroma(rgb))
        batch, _, height, width = rgb.shape
        code = weights.new_zeros(batch, self.channels, height, width).scatter_add(1, bins, weights)
        return code.clamp(min=1e-30).log() * self.temperature

    def decode(self, gray: Tensor, output: Tensor) -> Tensor:
        """RGB of the gray input and the annealed mean of the predicted distribution."""
        probabilities = (output / self.temperature).softmax(dim=1)
        chroma = torch.einsum("bqhw,qc->bchw", probabilities, self.centers(output.device))
        return chroma_to_rgb(gray, enlarged(chroma, gray))

    def draw(self, output: Tensor, generator: torch.Generator) -> Tensor:
        """Logits of a sample, for `decode`: (B, channels, H, W) -> the same.

        Adding Gumbel noise to logits and taking the highest samples from the distribution (Gumbel
        1954). `decode` takes the annealed mean in place of the highest (Jang et al. 2017), which
        leaves no steps between colours; the higher the temperature, the paler and the more alike
        samples are. Every pixel of an image gets the same noise, so that neighbours that could be
        red or blue get the same colour.
        """
        shape = (*output.shape[:2], 1, 1)
        uniform = torch.rand(shape, generator=generator, device=output.device)
        return output - (-uniform.clamp(1e-20, 1 - 1e-7).log()).log()
