"""How much training images vary."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AugmentOptions(BaseModel):
    """Augmentation of training images.

    A factor lies between 1 / its option and its option, a shift of place or hue between minus its option and its
    option. The defaults are for a detector whose classes keep their meaning in a mirror.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mirror: float = Field(0.5, ge=0.0, le=1.0, description="share of training images to mirror; 0: none")
    zoom: float = Field(1.25, ge=1.0, le=4.0, description="maximum zoom factor; 1: none")
    stretch: float = Field(1.08, ge=1.0, le=4.0, description="maximum factor of width and of height; 1: none")
    shift: float = Field(0.15, ge=0.0, lt=1.0, description="maximum shift, as a share of the image; 0: none")
    exposure: float = Field(1.5, ge=1.0, le=10.0, description="maximum exposure factor; 1: none")
    saturation: float = Field(1.5, ge=1.0, le=10.0, description="maximum saturation factor; 1: none")
    hue: float = Field(0.1, ge=0.0, le=0.5, description="maximum hue shift, as a share of the colour circle; 0: none")
