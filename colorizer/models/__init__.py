"""Networks and baselines: gray in, raw output of a representation out."""

from colorizer.models.autoencoder import Autoencoder
from colorizer.models.baselines import Baseline, GrayCopy, GrayLookup, MeanChroma
from colorizer.models.cnn import CNN
from colorizer.models.flow import Flow, PyramidNoise
from colorizer.models.guide import Guide
from colorizer.models.linear import Linear
from colorizer.models.residual_unet import ResidualUNet
from colorizer.models.unet import UNet
from colorizer.models.wavelet_mixture import WaveletMixture

__all__ = [
    "CNN",
    "Autoencoder",
    "Baseline",
    "Flow",
    "GrayCopy",
    "GrayLookup",
    "Guide",
    "Linear",
    "MeanChroma",
    "PyramidNoise",
    "ResidualUNet",
    "UNet",
    "WaveletMixture",
]
