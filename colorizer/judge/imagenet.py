"""A network that learned its features from ImageNet, and never saw CIFAR-10 as it did."""

from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import mobilenet_v2
from torchvision.ops import Conv2dNormActivation

from colorizer.errors import UserError
from colorizer.judge.network import in_parts
from colorizer.ranges import Range

# Of the images that it learned from, RGB in [0, 1].
MEAN, STANDARD_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# Of MobileNetV2.
FEATURES = 1280

# Images at a time on a CPU, whose caches hold what is computed of them: twice as fast as 100.
TOGETHER = 16


class ImageNetNetwork(nn.Module):
    """RGB -> a fixed projection of MobileNetV2's features, and class scores by a linear probe.

    MobileNetV2: Sandler et al. 2018. Images are enlarged bilinearly (without aligned corners).

    Args:
        classes: scores.
        size: height and width that images are enlarged to, in pixels.
        dimensions: of the projection.
    """

    def __init__(
        self,
        classes: Annotated[int, Range(2, 100_000)],
        size: Annotated[int, Range(32, 512)],
        dimensions: Annotated[int, Range(1, FEATURES)],
    ) -> None:
        super().__init__()
        self.size, self.dimensions = size, dimensions
        self.trunk = mobilenet_v2(weights=None).features
        self.projection = nn.Linear(FEATURES, dimensions, bias=False)
        self.probe = nn.Linear(FEATURES, classes)
        self.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def project_at_random(self, seed: int = 0) -> None:
        """Set the projection: orthonormal directions, all orientations equally likely."""
        random = torch.Generator().manual_seed(seed)
        square = torch.randn(FEATURES, self.dimensions, generator=random, dtype=torch.float64)
        self.projection.weight.copy_(torch.linalg.qr(square).Q.T)

    def load_trunk(self, weights: Mapping[str, Tensor]) -> None:
        """Load the weights of a MobileNetV2 whose layers come in this order, whatever their names.

        Raises:
            UserError: they are of another architecture.
        """
        own = self.trunk.state_dict()
        given = [t for name, t in weights.items() if name.startswith("features.")]
        if [t.shape for t in given] != [t.shape for t in own.values()]:
            raise UserError("these are not the weights of a MobileNetV2 of width 1")
        self.trunk.load_state_dict(dict(zip(own, given, strict=True)))

    def fuse(self) -> None:
        """Fold batch normalization into the convolutions: faster, and no longer to be trained."""
        for module in list(self.trunk.modules()):
            if isinstance(module, Conv2dNormActivation | nn.Sequential):
                for first, second in zip(range(len(module)), range(1, len(module)), strict=False):
                    convolution, normalization = module[first], module[second]
                    if isinstance(normalization, nn.BatchNorm2d):
                        assert isinstance(convolution, nn.Conv2d)
                        module[first] = fuse_conv_bn_eval(convolution, normalization)
                        module[second] = nn.Identity()

    def embed(self, rgb: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> MobileNetV2's features (B, 1280), means over the positions."""
        return in_parts(self._embed, rgb, TOGETHER)

    def _embed(self, rgb: Tensor) -> Tensor:
        large = F.interpolate(rgb, (self.size, self.size), mode="bilinear", align_corners=False)
        mean, deviation = (
            rgb.new_tensor(value).view(3, 1, 1) for value in (MEAN, STANDARD_DEVIATION)
        )
        large = (large - mean) / deviation
        found: Tensor = self.trunk(large.contiguous(memory_format=torch.channels_last))
        return found.mean((2, 3))

    def look(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [0, 1] -> projected features (B, dimensions), scores (B, classes)."""
        features = self.embed(rgb)
        return self.projection(features), self.probe(features)
