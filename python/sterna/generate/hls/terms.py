"""The nonzero digits of a convolution as a table of terms, which `hw/hls/sterna.h` adds up one after another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.graph import Conv, csd

_ROW, _COL, _SHIFT, _ADDS, _NEGATIVE, _LAST = 16, 19, 22, 25, 26, 27
"""Lowest bits of a term's fields; see Term in hw/hls/sterna.h. Its channel begins at bit 0."""


def terms(conv: Conv) -> NDArray[np.uint32]:
    """The terms of all filters, [N]: by filter, then by falling significance of their digits (Horner's rule).

    A filter has at least one term. A digit plane without terms is passed over by the shift of the next term, or by a
    last term that shifts alone.
    """
    planes = csd.digits(conv.weights)[::-1]
    plane, filters, channel, row, col = np.nonzero(planes)
    digit = planes[plane, filters, channel, row, col]
    channel = channel + filters // (len(conv.weights) // conv.groups) * conv.weights.shape[1]
    # What ends each filter: the plane of weight 1, whether it has digits or not.
    count, end = len(conv.weights), len(planes) - 1
    lacks = np.setdiff1d(np.arange(count), filters[plane == end])
    filters, plane = np.append(filters, lacks), np.append(plane, np.full_like(lacks, end))
    none = np.zeros_like(lacks)
    channel, row, col = np.append(channel, none), np.append(row, none), np.append(col, none)
    digit = np.append(digit, none.astype(np.int8))
    order = np.lexsort((col, row, channel, plane, filters))
    filters, plane, channel, row, col = filters[order], plane[order], channel[order], row[order], col[order]
    digit = digit[order]
    first = np.append(True, np.diff(filters) != 0)
    shift = np.where(first, 0, np.diff(plane, prepend=0))
    fields = {
        0: channel, _ROW: row, _COL: col, _SHIFT: shift,
        _ADDS: digit != 0, _NEGATIVE: digit < 0, _LAST: np.append(first[1:], True),
    }  # fmt: skip
    return np.bitwise_or.reduce([values.astype(np.uint32) << low for low, values in fields.items()])
