"""Text as masks, in the one font that Pillow bundles, so that pictures are the same on every machine."""

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont


@lru_cache(maxsize=64)
def _font(height: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(height)


@lru_cache(maxsize=512)
def text_mask(text: str, height: int, bold: bool = False) -> Image.Image:
    """The text, white on black, cut to its ink; about `height` pixels high for one line. Treat it as read-only."""
    font = _font(height)
    weight = max(1, height // 16) if bold else 0
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=font, stroke_width=weight, align="center")
    mask = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)), 0)
    ImageDraw.Draw(mask).multiline_text((1 - left, 1 - top), text, fill=255, font=font, stroke_width=weight, align="center")
    return mask
