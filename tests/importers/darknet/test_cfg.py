from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sterna.errors import SternaError
from sterna.exporters.darknet import for_darknet, write_cfg
from sterna.graph import networks
from sterna.graph.layers import Concat, MaxPool, Reorg
from sterna.graph.network import FIRST_BITS, Conv, Head
from sterna.importers import registry
from sterna.importers.darknet import read_cfg
from sterna.train.model.form import Form
from sterna.train.model.network import ConvBlock, Network
from support.darknet_networks import VOC_ANCHORS

# Each kind of section, with the spelling that real files have: blanks, tabs, comments, short names, defaults.
SMALL = """\
[network]
# Training
#batch = 64
batch=1
width = 64
height=\t32
channels=3
momentum=0.9
policy=steps
steps=40,60

[conv]
batch_normalize=1
filters = 8
size=3
stride=1
pad=1
activation= leaky

; the route comes back to this layer
[convolutional]
batch_normalize=1
filters=12
size=3
padding=1
activation=leaky

[maxpool]
stride=2

[dropout]
probability=.5

[convolutional]
batch_normalize=1
filters=16
activation=leaky

[max]
size=2

[route]
layers=-5

[reorg]
stride=2

[route]
layers = -1, -3

[convolutional]
size=1
pad=1
filters=14 # num * (5 + classes)
activation=linear

[region]
anchors = 1.5,2.,  .25, 1e1
classes=2
num=2
softmax=1
jitter=.3
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.cfg"
    path.write_text(SMALL)
    return path


def test_small_file_is_read(small: Path) -> None:
    found = read_cfg(small)
    assert found.network.layers == (
        Conv("conv1", "image", 8, 3, FIRST_BITS, leak=0.1),
        Conv("conv2", "conv1", 12, 3, shares="concat", leak=0.1),
        MaxPool("pool1", "conv2", 2),
        Conv("conv3", "pool1", 16, 1, shares="concat", leak=0.1),
        MaxPool("pool2", "conv3", 1, padding=(0, 0, 1, 1)),
        Reorg("reorg", "conv2"),
        Concat("concat", ("reorg", "pool2")),
        Head("head", "concat", anchors=2),
    )
    assert (found.classes, found.height, found.width) == (2, 32, 64)
    assert found.anchors == ((1.5, 2.0), (0.25, 10.0))


def test_other_line_ends_and_a_byte_order_mark_change_nothing(small: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.cfg"
    other.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    assert read_cfg(other) == read_cfg(small)


def yolov2_text(classes: int, side: int) -> str:
    """The published yolov2-voc.cfg, in short."""

    def conv(filters: int, size: int, activation: str = "leaky") -> str:
        norm = "batch_normalize=1\n" if activation == "leaky" else ""
        return f"[convolutional]\n{norm}filters={filters}\nsize={size}\nstride=1\npad=1\nactivation={activation}\n"

    pool = "[maxpool]\nsize=2\nstride=2\n"
    return "".join([
        f"[net]\nheight={side}\nwidth={side}\nchannels=3\n",
        conv(32, 3), pool, conv(64, 3), pool,
        conv(128, 3), conv(64, 1), conv(128, 3), pool,
        conv(256, 3), conv(128, 1), conv(256, 3), pool,
        conv(512, 3), conv(256, 1), conv(512, 3), conv(256, 1), conv(512, 3), pool,
        conv(1024, 3), conv(512, 1), conv(1024, 3), conv(512, 1), conv(1024, 3), conv(1024, 3), conv(1024, 3),
        "[route]\nlayers=-9\n", conv(64, 1), "[reorg]\nstride=2\n", "[route]\nlayers=-1,-4\n",
        conv(1024, 3), conv(5 * (5 + classes), 1, "linear"),
        "[region]\nanchors = 1.3221, 1.73145, 3.19275, 4.00944, 5.05587, 8.09892, 9.47112, 4.84053, 11.2364, 10.0071\n"
        f"bias_match=1\nclasses={classes}\ncoords=4\nnum=5\nsoftmax=1\nabsolute=1\nthresh = .6\nrandom=1\n",
    ])  # fmt: skip


@pytest.mark.parametrize(("classes", "side"), [(20, 416), (80, 608), (3, 320)])
def test_published_yolov2_is_the_network_that_sterna_has(tmp_path: Path, classes: int, side: int) -> None:
    path = tmp_path / "yolov2.cfg"
    path.write_text(yolov2_text(classes, side))
    assert read_cfg(path) == for_darknet(networks.describe("yolov2"), VOC_ANCHORS, classes, side, side)


def test_reorg_of_the_continuation_is_a_true_space_to_depth(small: Path, tmp_path: Path) -> None:
    """AlexeyAB's [reorg3d] is what Sterna computes; [reorg] is not."""
    straight = tmp_path / "straight.cfg"
    straight.write_text(SMALL.replace("[reorg]", "[reorg3d]"))
    found = read_cfg(straight)
    assert found == replace(read_cfg(small), straight=frozenset({"reorg"}))
    write_cfg(found, tmp_path / "again.cfg")
    assert read_cfg(tmp_path / "again.cfg") == found


def test_network_option_may_be_a_cfg_file(small: Path) -> None:
    assert registry.describe(str(small)) == read_cfg(small).network
    with pytest.raises(SternaError, match=r"cannot be read.*darknet \.cfg"):
        registry.describe(str(small.with_name("missing.cfg")))


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_other_activations_that_the_engine_has_are_read(small: Path, tmp_path: Path, activation: str) -> None:
    small.write_text(SMALL.replace("activation= leaky", f"activation={activation}"))
    found = read_cfg(small)
    assert found.network.layers[0] == Conv("conv1", "image", 8, 3, FIRST_BITS, activation=activation)
    write_cfg(found, tmp_path / "again.cfg")
    assert read_cfg(tmp_path / "again.cfg") == found


@pytest.mark.parametrize(("size", "kernels"), [(5, [5]), (9, [7, 3]), (13, [7, 7])])
def test_large_pools_become_several(small: Path, size: int, kernels: list[int]) -> None:
    small.write_text(SMALL.replace("[max]\nsize=2", f"[max]\nsize={size}"))
    found = [layer for layer in read_cfg(small).network.layers if isinstance(layer, MaxPool) and layer.stride == 1]
    assert [layer.kernel for layer in found] == kernels
    assert all(layer.padding == (layer.kernel // 2,) * 4 for layer in found)


def test_slope_of_the_leaky_relu_holds_in_float_form_only(small: Path) -> None:
    network = read_cfg(small).network
    for form, slope in ((Form.FLOAT, 0.1), (Form.TERNARY, 1 / 8)):
        block = Network(network, 2, form).blocks["conv2"]
        assert isinstance(block, ConvBlock) and block.slope == slope


HEAD = SMALL[SMALL.index("[convolutional]\nsize=1\npad=1") : SMALL.index("[region]")]
# What is put for what in SMALL, and what the refusal must name.
WRONG = {
    "unknown section": ("[dropout]\nprobability=.5", "[upsample]\nstride=2",
        r"line 31, layer 3 \[upsample\].*no layer"),
    "unknown key": ("pad=1\nactivation= leaky", "padd=1\nactivation=leaky", r"line 17, layer 0 .*unknown key padd"),
    "net without size": ("width = 64\n", "", r"line 1, \[net\].*width = \(missing\)"),
    "grey images": ("channels=3", "channels=1", r"line 7, \[net\].*channels = 1.*allowed: 3"),
    "no net": ("[network]", "[convolutional]", r"line 1, .*allowed: \[net\]"),
    "not a number": ("filters=12", "filters=twelve", r"line 23.*not an integer.*filters = twelve"),
    "fraction": ("filters=12", "filters=12.5", r"line 23.*not an integer.*filters = 12.5"),
    "zero filters": ("filters=12", "filters=0", r"line 23.*filters = 0.*allowed: 1 .. 65535"),
    "huge number": ("filters=12", "filters=" + "9" * 5000, r"line 23.*not an integer"),
    "even kernel": ("size=3\npadding=1", "size=2\npadding=1", r"layer 1 .*size = 2.*allowed: 1, 3, 5, 7"),
    "stride of a convolution": ("size=3\nstride=1", "size=3\nstride=3", r"layer 0 .*stride = 3.*allowed: 1, 2, 4"),
    "stride of the head": ("[convolutional]\nsize=1\npad=1", "[convolutional]\nsize=1\npad=1\nstride=2",
        r"layer 9 .*stride = 2.*allowed: 1"),
    "no padding": ("padding=1\n", "", r"layer 1 .*pad = \(missing\).*pad=1"),
    "wrong padding": ("padding=1\n", "padding=2\n", r"layer 1 .*padding = 2.*padding=1"),
    "groups": ("padding=1\n", "padding=1\ngroups=5\n", r"layer 1 .*groups = 5.*allowed: divisors of 8 and of 12"),
    "sum of two shapes": ("[dropout]\nprobability=.5", "[shortcut]\nfrom=-3", r"layer 3 .*from = -3.*conv1 has 8 x 32"),
    "sum of three": ("[dropout]\nprobability=.5", "[shortcut]\nfrom=-1,-2", r"layer 3 .*from = -1,-2.*one layer"),
    "weighted sum": ("[dropout]\nprobability=.5", "[shortcut]\nfrom=-2\nweights_type=per_channel",
        r"layer 3 .*weights_type = per_channel.*allowed: none"),
    "leaky sum": ("[dropout]\nprobability=.5", "[shortcut]\nfrom=-1\nactivation=leaky",
        r"layer 3 .*activation = leaky.*allowed: linear, relu"),
    "binary": ("padding=1\n", "padding=1\nxnor=1\n", r"layer 1 .*xnor = 1.*allowed: 0"),
    "activation": ("activation= leaky", "activation=mish",
        r"line 18, layer 0 .*activation = mish.*allowed: linear, relu, leaky"),
    "no activation": ("activation= leaky\n", "", r"layer 0 .*activation = logistic \(the default\)"),
    "no normalisation": ("batch_normalize=1\nfilters=12", "filters=12",
        r"layer 1 .*batch_normalize = 0 \(the default\)"),
    "contradiction": ("filters=12", "filters=12\nfilters=13", r"more than once.*12 \(line 23\), 13 \(line 24\)"),
    "large even pool": ("[max]\nsize=2", "[max]\nsize=8", r"layer 5 .*size = 8.*allowed: sizes of 2 .. 7"),
    "stride of a pool": ("[maxpool]\nstride=2", "[maxpool]\nsize=2\nstride=3", r"layer 2 .*stride = 3"),
    "shrinking pool": ("[max]\nsize=2", "[max]\nsize=2\npadding=0", r"layer 5 .*padding = 0.*allowed: 1"),
    "odd map": ("width = 64", "width = 63", r"layer 2 .*no multiples of 2; got 63 x 32"),
    "route to nowhere": ("layers=-5", "layers=-7", r"line 43, layer 6 \[route\].*layers = -7.*allowed: -6 .. -1"),
    "route to itself": ("layers=-5", "layers=6", r"layer 6 .*route to 6.*0 .. 5"),
    "route of words": ("layers=-5", "layers=last", r"not a list of integers.*layers = last"),
    "route of two sizes": ("layers = -1, -3", "layers = -1, -8",
        r"layer 8 .*maps of 32 x 16, as reorg.*conv1 has 64 x 32"),
    "layer that is lost": ("layers = -1, -3", "layers = -1", r"line 39, layer 5 \[maxpool\].*no layer reads.*pool2"),
    "reorg of 4": ("[reorg]\nstride=2", "[reorg]\nstride=4", r"layer 7 .*stride = 4.*allowed: 2"),
    "reorg reversed": ("[reorg]\nstride=2", "[reorg]\nstride=2\nreverse=1", r"layer 7 .*reverse = 1"),
    "reorg of 10 channels": ("filters=12", "filters=10", r"layer 7 .*got 10; allowed: a multiple of 4"),
    "filters of the head": ("filters=14", "filters=15",
        r"line 54, layer 9 .*filters = 15.*allowed: 14 = .*2 \* \(5 \+ 2\)"),
    "size of the head": ("[convolutional]\nsize=1\npad=1", "[convolutional]\nsize=3\npad=1",
        r"layer 9 .*size = 3.*allowed: 1"),
    "activation of the head": ("activation=linear", "activation=leaky",
        r"layer 9 .*activation = leaky.*allowed: linear"),
    "no region": (SMALL[SMALL.index("[region]") :], "", r"layer 9 \[convolutional\].*has one \[region\]"),
    "two regions": ("jitter=.3\n", "jitter=.3\n[region]\nnum=1\n", r"layer 10 \[region\].*has one \[region\]"),
    "region without head": (HEAD, "", r"line 51, layer 9 \[region\].*no convolution before"),
    "anchors": ("1.5,2.,  .25, 1e1", "1.5,2.,  .25", r"anchors = 3 numbers.*allowed: 4 positive"),
    "anchors with a hole": ("1.5,2.,  .25, 1e1", "1.5,2.,, 1e1", r"not a list of numbers"),
    "anchor without end": ("1.5,2.,  .25, 1e1", "1.5,2.,.25,1e999", r"not a list of numbers"),
    "anchor of no size": ("1.5,2.,  .25, 1e1", "1.5,2.,0,1e1", r"of size 0 or less.*smallest 0"),
    "no softmax": ("softmax=1\n", "", r"softmax = 0 \(the default\); allowed: 1"),
    "weights of another layer": ("padding=1\n", "padding=1\nshare_index=0\n", r"layer 1 .*share_index = 0"),
    "stride in one direction": ("size=3\nstride=1", "size=3\nstride=1\nstride_x=2",
        r"layer 0 .*two strides; stride_x = 2.*allowed: 1"),
    "turned weights": ("padding=1\n", "padding=1\nrotate=1\n", r"layer 1 .*rotate = 1.*allowed: 0"),
    "filter after a pool": ("[max]\nsize=2", "[max]\nsize=2\nantialiasing=1", r"layer 5 .*antialiasing = 1"),
    "pool over channels": ("[max]\nsize=2", "[max]\nsize=2\nmaxpool_depth=1", r"layer 5 .*maxpool_depth = 1"),
    "anchors in pixels": ("1.5,2.,  .25, 1e1", "36,40,88,102",
        r"line 58, layer 10 \[region\].*in pixels.*divide pixels of the image by 2: 18,20,44,51"),
    "masks": ("softmax=1\n", "softmax=1\ncoords=5\n", r"coords = 5; allowed: 4"),
    "tree of classes": ("softmax=1\n", "softmax=1\ntree=data/9k.tree\n", r"YOLO9000.*tree = data/9k.tree"),
    "line without sense": ("stride=1\n", "stride 1\n", r"line 16: a line that is neither.*got stride 1"),
    "line without value": ("stride=1\n", "stride=\n", r"line 16: a line that is neither"),
    "open bracket": ("[dropout]", "[dropout", r"line 31: the name of a section has no closing bracket"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_file_is_refused(small: Path, what: str) -> None:
    old, new, message = WRONG[what]
    assert old in SMALL
    small.write_text(SMALL.replace(old, new, 1))
    with pytest.raises(SternaError, match=message) as refusal:
        read_cfg(small)
    assert str(small) in str(refusal.value) and "remedy" in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no section"),
        (b"\n# nothing\n", "no section"),
        (b"[net]\nwidth=64\nheight=64\nchannels=3\n", "has no layers"),
        (b"\0" * 99, "NUL bytes"),
        (b"#" * (1 << 21), "too long"),
    ],
)
def test_what_is_no_cfg_file_is_refused(small: Path, content: bytes, message: str) -> None:
    small.write_bytes(content)
    with pytest.raises(SternaError, match=message):
        read_cfg(small)


@given(st.data())
@settings(max_examples=50)
def test_damaged_file_is_refused_or_describes_a_network(data: st.DataObject) -> None:
    lines = SMALL.split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(("drop", "repeat", "swap", "number", "noise"))):
            case "drop":
                lines[place] = ""
            case "repeat":
                lines.insert(place, lines[data.draw(st.integers(0, len(lines) - 1))])
            case "swap":
                lines[place], lines[0] = lines[0], lines[place]
            case "number":
                lines[place] = f"{lines[place].partition('=')[0]}={data.draw(st.integers(-12, 12))}"
            case "noise":
                lines[place] += data.draw(st.text(max_size=5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.cfg"
        path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
        try:
            found = read_cfg(path)
        except SternaError:
            return
    with torch.device("meta"):
        network = Network(found.network, found.classes, Form.FLOAT)
        head = network(torch.zeros(1, 3, found.height, found.width))
    assert head.shape[1] == len(found.anchors) * (5 + found.classes)


def test_quantisers_are_shared_across_concats_that_hang_together(small: Path) -> None:
    # A second concat takes in a part of the first one's inputs, so all of them need one scale.
    more = "[route]\nlayers=-1,-5\n\n[convolutional]\nsize=1\npad=1"
    small.write_text(SMALL.replace("[convolutional]\nsize=1\npad=1", more, 1))
    shared = {layer.name: layer.shares for layer in read_cfg(small).network.layers if isinstance(layer, Conv)}
    assert shared == {"conv1": None, "conv2": "concat2", "conv3": "concat2"}


def test_description_differs_where_a_file_differs(small: Path) -> None:
    before = read_cfg(small)
    small.write_text(SMALL.replace("filters=12", "filters=16", 1))
    after = read_cfg(small)
    assert after != before
    assert replace(after, network=before.network) == before
