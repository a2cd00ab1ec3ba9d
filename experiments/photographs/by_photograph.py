"""Compares colorizers photograph by photograph: `python by_photograph.py FOLDER RUN [NAME ...]`.

Of each held-out photograph the largest square in its centre, at several sizes; intervals are of
resampled photographs (bootstrap, 95 %), since crops of one photograph are alike. Writes
`examples.png`, ten random ones.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from colorizer.color import luma, round_to_8_bits
from colorizer.console import markdown_table, say
from colorizer.data import ImageFolder
from colorizer.pictures import picture_of_rows, random_indices, to_bytes
from colorizer.weights import open_trained

SIZES = (32, 48, 64, 96, 128)
SHOWN = 64
PICTURE = Path(__file__).parent / "examples.png"
RESAMPLES = 10_000


@torch.inference_mode()
def compare(folder: str, which: list[str]) -> str:
    """A table: PSNR of each colorizer, and the first one's minus that of each other.

    Args:
        folder: of the photographs.
        which: names, files or runs, the one in question first.
    """
    runs = [open_trained(one) for one in which]
    share = runs[0].config.data.test_share
    networks = [run.colorizer() for run in runs]
    names = [run.name for run in runs] + ["gray_copy"]
    titles = ["pixels", "photographs", *names]
    titles += [f"{names[0]} − {name}" for name in names[1:]]
    titles += [f"nearer than {name}" for name in names[1:]]
    lines = []
    for size in SIZES:
        data = ImageFolder(folder, image_size=size, crops="center", test_share=share)
        rgb = data.split("test").images.float().div(255)
        gray = luma(rgb)
        outputs = [network(gray) for network in networks] + [gray.expand_as(rgb)]
        if size == SHOWN:
            chosen = random_indices(len(rgb), 10, seed=0)
            seen = [gray.expand_as(rgb), *outputs[:-1], rgb]
            labels = ["gray", *names[:-1], "true"]
            rows = [
                (name, to_bytes(images[chosen])) for name, images in zip(labels, seen, strict=True)
            ]
            picture_of_rows(rows, scale=2).save(PICTURE)
            labelled = data.split("test").labels[chosen].tolist()
            say("\n".join(data.files[label] for label in labelled) + "\n")
        errors = [_errors(output, rgb) for output in outputs]
        drawn = np.random.default_rng(0).integers(0, len(rgb), (RESAMPLES, len(rgb)))
        lines.append([str(size), str(len(rgb)), *(f"{_psnr(error):.2f}" for error in errors)])
        for error in errors[1:]:
            gain = _psnr(errors[0]) - _psnr(error)
            low, high = np.percentile(_psnr(errors[0][drawn]) - _psnr(error[drawn]), (2.5, 97.5))
            lines[-1].append(f"{gain:+.2f} ({low:+.2f} to {high:+.2f})")
        lines[-1] += [f"{100 * (errors[0] < error).mean():.0f} %" for error in errors[1:]]
    return markdown_table(titles, lines)


def _errors(output: torch.Tensor, rgb: torch.Tensor) -> np.ndarray:
    """Mean squared errors, (N,)."""
    return (round_to_8_bits(output) - rgb).square().mean(dim=(1, 2, 3)).numpy()


def _psnr(errors: np.ndarray) -> np.ndarray:
    """Of the errors pooled over the last axis."""
    found: np.ndarray = -10 * np.log10(errors.mean(-1))
    return found


if __name__ == "__main__":
    say(compare(sys.argv[1], sys.argv[2:]))
