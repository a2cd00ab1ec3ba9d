"""The metrics of the evaluation protocol that need nothing but the images."""

import torch
from torch import Tensor, nn
from torchmetrics import MeanAbsoluteError, MeanSquaredError, MetricCollection
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from colorizer.color import rgb_to_lab, round_to_8_bits
from colorizer.metrics.colorfulness import Colorfulness
from colorizer.metrics.lab import AuC, ColorAccuracy, DeltaE2000
from colorizer.metrics.luma import LumaError

# Named in results.json; counted up whenever a number would change for the same images.
PROTOCOL = "1"

# Which way is better, for a metric that a run can be chosen by. Colorfulness is not one: its aim is
# the real images'.
BETTER = {
    "mse": "min",
    "mae": "min",
    "psnr": "max",
    "ssim": "max",
    "delta_e": "min",
    "acc2": "max",
    "acc5": "max",
    "auc": "max",
    "luma_error": "min",
}


class Fidelity(nn.Module):
    """All fidelity metrics at once, on 8-bit-rounded output.

    | name | unit | better |
    | --- | --- | --- |
    | mse, mae | RGB in [0, 1] | lower |
    | psnr | dB, of the pooled MSE | higher |
    | ssim | RGB, Wang et al. 2004 | higher |
    | delta_e | CIEDE2000 | lower |
    | acc2, acc5 | percent of pixels | higher |
    | auc | percent | higher |
    | colorfulness | 0..255 scale | like the real images' |
    | luma_error | luminance in [0, 1] | lower |
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_rgb = MetricCollection(
            {
                "mse": MeanSquaredError(),
                "mae": MeanAbsoluteError(),
                "psnr": PeakSignalNoiseRatio(data_range=1.0),
                "ssim": StructuralSimilarityIndexMeasure(data_range=1.0),
            },
            compute_groups=False,
        )
        self.on_lab = MetricCollection(
            {
                "delta_e": DeltaE2000(),
                "acc2": ColorAccuracy(2),
                "acc5": ColorAccuracy(5),
                "auc": AuC(),
            },
            compute_groups=False,
        )
        self.colorfulness = Colorfulness()
        self.luma_error = LumaError()

    @torch.no_grad()
    def update(self, prediction: Tensor, target: Tensor, gray: Tensor) -> None:
        """Take in a batch: RGB (B, 3, H, W) twice and gray (B, 1, H, W), in [0, 1]."""
        prediction = round_to_8_bits(prediction.float()).contiguous()
        # On a GPU, float32 convolutions, SSIM's among them, may be rounded to TF32.
        exact = torch.float64 if prediction.is_cuda else torch.float32
        self.on_rgb.update(prediction.to(exact), target.to(exact))
        self.on_lab.update(rgb_to_lab(prediction), rgb_to_lab(target))
        self.colorfulness.update(prediction)
        self.luma_error.update(prediction, gray)

    def compute(self) -> dict[str, Tensor]:
        """Every metric by name; PSNR of an exact copy is infinite."""
        return {
            **self.on_rgb.compute(),
            **self.on_lab.compute(),
            "colorfulness": self.colorfulness.compute(),
            "luma_error": self.luma_error.compute(),
        }

    def reset(self) -> None:
        """Forget everything."""
        for metric in (self.on_rgb, self.on_lab, self.colorfulness, self.luma_error):
            metric.reset()
