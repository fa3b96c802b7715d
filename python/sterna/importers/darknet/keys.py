"""The keys of darknet's cfg files by section, and what becomes of each.

Source: `parser.c` of darknet (github.com/pjreddie/darknet) and of its continuation (github.com/AlexeyAB/darknet). A key
of NETWORK decides what the network computes: `cfg.py` computes it or refuses it. A key of TRAINING is used by a
training unless its options say otherwise (`training.py`). A key of UNUSED concerns only darknet's own training or
program and changes nothing here; Sterna says so. All others are refused.
"""

from __future__ import annotations

_ANY_NETWORK = ("dontsave", "numload", "dontloadscales")
NETWORK: dict[str, tuple[str, ...]] = {
    "net": ("width", "height", "channels"),
    "convolutional": (
        "filters", "size", "stride", "stride_x", "stride_y", "pad", "padding", "activation", "batch_normalize",
        "groups", "dilation", "antialiasing", "share_index", "binary", "xnor", "bin_output", "flipped", "coordconv",
        "sway", "rotate", "stretch", "stretch_sway", *_ANY_NETWORK,
    ),
    "maxpool": (
        "size", "stride", "stride_x", "stride_y", "padding", "maxpool_depth", "antialiasing", "maxpool_zero_nonmax",
    ),
    "route": ("layers", "groups"),
    "shortcut": ("from", "activation", "weights_type", "weights_normalization"),
    "reorg": ("stride", "reverse", "flatten", "extra"),
    "reorg3d": ("stride", "reverse"),
    "dropout": (),
    "region": ("anchors", "num", "classes", "coords", "softmax", "background", "tree", "map"),
}  # fmt: skip
_ANY_TRAINING = ("stopbackward", "dontload")
TRAINING: dict[str, tuple[str, ...]] = {
    "net": ("flip", "hue", "saturation", "exposure"),
    "region": ("jitter", "random"),
}
_ANY_UNUSED = (
    "clip", "onlyforward", "dont_update", "burnin_update", "train_only_bn", "learning_rate", "smooth", "truth",
)  # fmt: skip
UNUSED: dict[str, tuple[str, ...]] = {
    "net": (
        "batch", "subdivisions", "sequential_subdivisions", "dynamic_minibatch", "momentum", "decay", "learning_rate",
        "learning_rate_min", "burn_in", "max_batches", "policy", "power", "steps", "scales", "seq_scales", "step",
        "scale", "gamma", "sgdr_cycle", "sgdr_mult", "adam", "B1", "B2", "eps", "loss_scale", "try_fix_nan",
        "weights_reject_freq", "equidistant_point", "badlabels_rejection_percentage", "num_sigmas_reject_badlabels",
        "ema_alpha", "time_steps", "track", "augment_speed", "inputs", "notruth", "random", "max_crop", "min_crop",
        "max_ratio", "min_ratio", "center", "clip", "angle", "aspect", "mosaic", "mosaic_bound", "mixup", "cutmix",
        "blur", "gaussian_noise", "resize_step", "label_smooth_eps", "letter_box", "contrastive",
        "contrastive_jit_flip", "contrastive_color", "unsupervised", "attention", "adversarial_lr", "max_chart_loss",
        "show_receptive_field", "use_cuda_graph", "optimized_memory", "workspace_size_limit_MB",
    ),
    "convolutional": (
        "dot", "angle", "grad_centr", "reverse", "cbn", "assisted_excitation", "stream", "wait_stream",
    ),
    "maxpool": ("out_channels",),
    "route": ("group_id", "stream", "wait_stream"),
    "dropout": ("probability", "dropblock", "dropblock_size_rel", "dropblock_size_abs"),
    "region": (
        "rescore", "bias_match", "object_scale", "noobject_scale", "class_scale", "coord_scale", "mask_scale",
        "absolute", "thresh", "max", "log", "sqrt", "classfix", "focal_loss", "resize",
    ),
}  # fmt: skip


def network(section: str) -> tuple[str, ...]:
    """The keys of `section` that decide what the network computes."""
    return NETWORK[section]


def training(section: str) -> tuple[str, ...]:
    """The keys of `section` that a training uses."""
    return TRAINING.get(section, ()) + (() if section == "net" else _ANY_TRAINING)


def unused(section: str) -> tuple[str, ...]:
    """The keys of `section` that nothing here looks at."""
    return UNUSED.get(section, ()) + (() if section == "net" else _ANY_UNUSED)
