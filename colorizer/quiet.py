"""Silences what libraries print that no user of a training needs."""

import logging
import warnings


def quiet() -> None:
    """Errors and warnings that say something remain."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning", "hydra", "hydra_plugins"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It logs what it raises.
    logging.getLogger("hydra.utils").setLevel(logging.CRITICAL)
    for message in (
        ".*does not have many workers.*",  # images lie in memory
        ".*exists and is not empty.*",  # checkpoints/ of the same run
        ".*The number of training batches.*",
        ".*in eval mode at the start of training.*",  # a flow's guide
        ".*your dataloader is not resumable.*",  # where it goes on, the callback sees to
        ".*`srun` command is available.*",  # a cluster's front end trains, too
        ".*sync_dist=True.*",  # the metrics have gathered over the processes themselves
        ".*isinstance\\(treespec, LeafSpec\\).*",
    ):
        warnings.filterwarnings("ignore", message=message)
