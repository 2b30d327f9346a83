"""What training loops need besides PyTorch."""

from ._training.batch_norms import reestimate_bn_statistics
from ._training.checkpointing import same_scope
from ._training.distillation import Distillation
from ._training.freezing import freeze_batch_norms, freeze_scales

__all__ = [
    "Distillation",
    "freeze_batch_norms",
    "freeze_scales",
    "reestimate_bn_statistics",
    "same_scope",
]
