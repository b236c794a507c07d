"""The reference preprocessing does what the manifest says."""

import io

import numpy as np
import pytest
from PIL import Image

from training.preprocess import Preprocessing, decode, fit, normalise


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_contain_pads_with_the_background_and_centres():
    spec = Preprocessing(10, 10, fit="contain", background=(1, 2, 3))
    pixels = np.asarray(fit(Image.new("RGB", (20, 10), (200, 200, 200)), spec))
    assert (pixels[:2] == (1, 2, 3)).all() and (pixels[7:] == (1, 2, 3)).all()
    assert (pixels[2:7] == 200).all()


def test_cover_fills_the_whole_target():
    pixels = np.asarray(fit(Image.new("RGB", (20, 10), (200, 200, 200)), Preprocessing(8, 8, fit="cover")))
    assert pixels.shape == (8, 8, 3) and (pixels == 200).all()


def test_half_transparent_black_over_white_is_rounded_half_up():
    data = png(Image.new("RGBA", (2, 2), (0, 0, 0, 128)))
    assert np.asarray(decode(data, Preprocessing(2, 2)))[0, 0].tolist() == [127, 127, 127]


def test_sixteen_bits_keep_the_high_byte():
    deep = np.full((2, 2), 0x7FFF, dtype=np.uint16)
    assert np.asarray(decode(png(Image.fromarray(deep)), Preprocessing(2, 2)))[0, 0].tolist() == [127, 127, 127]


@pytest.mark.parametrize("color,first", [("rgb", 1.0), ("bgr", 0.0)])
def test_channels_come_in_the_stated_order(color, first):
    spec = Preprocessing(1, 1, color=color, mean=(0, 0, 0), std=(1, 1, 1))
    assert normalise(Image.new("RGB", (1, 1), (255, 0, 0)), spec)[0, 0, 0] == first
