"""Draws product pictures with known labels. Nothing here comes from a photograph or a data set."""

from .scene import Picture, draw_picture

__all__ = ["Picture", "draw_picture"]
