"""`python -m training.golden_vectors`: pictures of every accepted format and of awkward sizes, with what each stage of preprocessing makes of them.

A server's preprocessing is compared with `preprocess.py` through these files, stage by stage: decoded pixels, resized pixels, the tensor.
"""

import argparse
import hashlib
import io
import json
import shutil
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from .draw import draw_picture
from .preprocess import Preprocessing, decode, fit, normalise

SPECS = {
    "contain-bilinear-48x40": Preprocessing(48, 40, "bilinear", "contain"),
    "cover-bicubic-40x48": Preprocessing(40, 48, "bicubic", "cover", background=(10, 200, 90)),
    "stretch-lanczos-33x33": Preprocessing(33, 33, "lanczos", "stretch", color="bgr", mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2)),
    "contain-nearest-31x47": Preprocessing(31, 47, "nearest", "contain", background=(0, 0, 0)),
    "stretch-bilinear-96x96": Preprocessing(96, 96, "bilinear", "stretch"),
    "contain-bilinear-128x128": Preprocessing(128, 128, "bilinear", "contain"),
    "cover-lanczos-64x64-as-stored": Preprocessing(64, 64, "lanczos", "cover", orientation="ignore"),
}
SMALL = ("contain-bilinear-48x40", "cover-bicubic-40x48", "stretch-lanczos-33x33", "contain-nearest-31x47")
SERVED = ("stretch-bilinear-96x96", "contain-bilinear-128x128")


@dataclass(frozen=True)
class Case:
    """One picture. `exact`: its decoding has one right answer (lossless), so decoded bytes must be equal."""

    name: str
    form: str
    data: bytes
    exact: bool
    specs: tuple[str, ...] = SMALL


def scene(width: int, height: int, seed: int = 50_100_000) -> Image.Image:
    """A drawn picture of exactly this size."""
    return draw_picture(seed, wish="cereal_box").image.resize((width, height), Image.Resampling.LANCZOS)


def saved(image: Image.Image, form: str, **options) -> bytes:
    """The bytes of a picture in a format."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def jpeg_cases() -> list[Case]:
    """Baseline and progressive, every common subsampling, grey, CMYK and YCCK, and the eight orientations."""
    photo = scene(101, 67)
    cases = [
        Case(f"jpeg-{name}", "jpeg", saved(photo, "JPEG", quality=88, subsampling=sampling), False, SMALL + SERVED if name == "420" else SMALL)
        for name, sampling in (("444", "4:4:4"), ("422", "4:2:2"), ("420", "4:2:0"))
    ]
    cases += [
        Case("jpeg-440", "jpeg", jpeg_440(photo), False),
        Case("jpeg-progressive", "jpeg", saved(photo, "JPEG", quality=80, progressive=True), False),
        Case("jpeg-low-quality", "jpeg", saved(photo, "JPEG", quality=20), False),
        Case("jpeg-restart-markers", "jpeg", saved(photo, "JPEG", quality=80, restart_marker_blocks=3), False),
        Case("jpeg-grey", "jpeg", saved(photo.convert("L"), "JPEG", quality=88), False),
        Case("jpeg-cmyk", "jpeg", saved(cmyk(photo), "JPEG", quality=92), False),
        Case("jpeg-ycck", "jpeg", ycck(photo), False),
        Case("jpeg-rgb-without-transform", "jpeg", saved(photo, "JPEG", quality=90, keep_rgb=True), False),
    ]
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = saved(photo, "JPEG", quality=88, subsampling="4:4:4", exif=exif)
        cases.append(Case(f"jpeg-orientation-{orientation}", "jpeg", data, False, ("contain-bilinear-48x40", "cover-lanczos-64x64-as-stored")))
    return cases


def cmyk(photo: Image.Image) -> Image.Image:
    """A print separation with black, not the plain inverse of RGB."""
    inverse = 255 - np.asarray(photo).astype(np.int32)
    black = inverse.min(axis=2, keepdims=True) * 3 // 4
    return Image.fromarray(np.concatenate([inverse - black, black], axis=2).astype(np.uint8), "CMYK")


def ycck(photo: Image.Image) -> bytes:
    """A YCCK JPEG: four components coded as such, then declared as YCCK in the Adobe marker."""
    inks = np.asarray(cmyk(photo))
    luma_and_chroma = 255 - np.asarray(Image.fromarray(inks[:, :, :3].copy()).convert("YCbCr"))
    disguised = Image.fromarray(np.concatenate([luma_and_chroma, inks[:, :, 3:]], axis=2), "CMYK")
    data = bytearray(saved(disguised, "JPEG", quality=92))
    marker = data.index(b"Adobe")
    data[marker + 11] = 2
    return bytes(data)


def jpeg_440(photo: Image.Image) -> bytes:
    """4:4:0, chroma halved vertically only, which Pillow does not write: a 4:2:2 picture of rearranged blocks, then declared as 4:4:0."""
    across, down = -(-photo.width // 8), -(-photo.height // 16)
    whole = np.pad(np.asarray(photo), ((0, down * 16 - photo.height), (0, across * 8 - photo.width), (0, 0)), mode="edge")
    channels = np.asarray(Image.fromarray(whole).convert("YCbCr")).astype(np.uint16)
    blocks = channels[:, :, 0].reshape(down, 2, 8, across, 8).transpose(0, 2, 3, 1, 4).reshape(down * 8, across * 16)
    halved = (channels[0::2, :, 1:] + channels[1::2, :, 1:] + 1) // 2
    chroma = halved.repeat(2, axis=1)
    data = bytearray(saved(Image.fromarray(np.dstack([blocks, chroma]).astype(np.uint8), "YCbCr"), "JPEG", quality=88, subsampling="4:2:2"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", photo.height, photo.width)
    data[frame + 11] = 0x12
    return bytes(data)


def png_cases() -> list[Case]:
    """Every colour type and depth that matters, with and without transparency."""
    photo = scene(59, 73)
    grey = photo.convert("L")
    slope = Image.linear_gradient("L").resize(photo.size)
    clear = photo.copy()
    clear.putalpha(slope)
    grey_clear = Image.merge("LA", (grey, slope))
    palette = photo.quantize(32)
    deep = np.asarray(grey).astype(np.uint16) * 257 - np.asarray(slope).astype(np.uint16) % 199
    keyed = PngImagePlugin.PngInfo()
    cases = [
        Case("png-rgb", "png", saved(photo, "PNG"), True, SMALL + SERVED),
        Case("png-rgba", "png", saved(clear, "PNG"), True),
        Case("png-grey", "png", saved(grey, "PNG"), True),
        Case("png-grey-alpha", "png", saved(grey_clear, "PNG"), True),
        Case("png-palette", "png", saved(palette, "PNG"), True),
        Case("png-palette-4-bit", "png", saved(photo.quantize(13), "PNG", bits=4), True),
        Case("png-palette-one-clear", "png", saved(palette, "PNG", transparency=7), True),
        Case("png-palette-many-clear", "png", saved(palette, "PNG", transparency=bytes(range(0, 256, 8))), True),
        Case("png-grey-keyed", "png", saved(grey.point([i // 32 * 32 for i in range(256)]), "PNG", transparency=224, pnginfo=keyed), True),
        Case("png-rgb-keyed", "png", saved(photo.quantize(8).convert("RGB"), "PNG", transparency=photo.quantize(8).convert("RGB").getpixel((3, 3))), True),
        Case("png-1-bit", "png", saved(photo.convert("1"), "PNG"), True),
        Case("png-grey-16", "png", saved(Image.fromarray(deep), "PNG"), True),
        Case("png-rgb-16", "png", png_16(np.asarray(photo), 2), True),
        Case("png-rgba-16", "png", png_16(np.asarray(clear), 6), True),
        Case("png-interlaced", "png", png_interlaced(np.asarray(photo)), True),
    ]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [*cases, Case("png-orientation-6", "png", saved(photo, "PNG", exif=exif), True)]


def _png(width: int, height: int, depth: int, colour: int, interlace: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def png_16(pixels: np.ndarray, colour: int) -> bytes:
    """16 bits a channel; the low byte is unlike the high byte, so rounding instead of cutting shows."""
    low = (pixels.astype(np.uint16) * 7 + 131) % 256
    deep = (pixels.astype(np.uint16) << 8 | low).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    return _png(pixels.shape[1], pixels.shape[0], 16, colour, 0, rows)


def png_interlaced(pixels: np.ndarray) -> bytes:
    """Adam7."""
    rows = b""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        rows += b"".join(b"\0" + row.tobytes() for row in pixels[y0::dy, x0::dx])
    return _png(pixels.shape[1], pixels.shape[0], 8, 2, 1, rows)


def other_cases() -> list[Case]:
    """WebP, GIF, BMP."""
    photo = scene(83, 61)
    clear = photo.copy()
    clear.putalpha(Image.radial_gradient("L").resize(photo.size))
    palette = photo.quantize(24)
    second = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).quantize(24)
    exif = Image.Exif()
    exif[0x0112] = 8
    return [
        Case("webp-lossy", "webp", saved(photo, "WEBP", quality=80), False),
        Case("webp-lossless", "webp", saved(photo, "WEBP", lossless=True), True),
        Case("webp-lossy-alpha", "webp", saved(clear, "WEBP", quality=80), False),
        Case("webp-lossless-alpha", "webp", saved(clear, "WEBP", lossless=True, exact=True), True),
        Case("webp-orientation-8", "webp", saved(photo, "WEBP", lossless=True, exif=exif), True),
        Case("gif", "gif", saved(palette, "GIF"), True),
        Case("gif-transparent", "gif", saved(palette, "GIF", transparency=5), True),
        Case("gif-two-frames", "gif", saved(palette, "GIF", save_all=True, append_images=[second], duration=100), True),
        Case("bmp-24", "bmp", saved(photo, "BMP"), True),
        Case("bmp-palette", "bmp", saved(palette, "BMP"), True),
        Case("bmp-grey", "bmp", saved(photo.convert("L"), "BMP"), True),
    ]


def size_cases() -> list[Case]:
    """Sizes at which rounding, padding and cropping go wrong first."""
    sizes = [(1, 1), (1, 37), (37, 1), (2, 3), (3, 1000), (1000, 3), (48, 40), (40, 48), (33, 33), (7, 5), (127, 129), (255, 90), (641, 480)]
    cases = []
    for width, height in sizes:
        large = width * height > 100_000
        data = saved(scene(width, height), "JPEG", quality=60) if large else saved(scene(width, height), "PNG")
        cases.append(Case(f"size-{width}x{height}", "jpeg" if large else "png", data, not large, SMALL if not large else SMALL + SERVED))
    return cases


def write_vectors(directory: Path) -> None:
    """Writes the cases' pictures, what each stage makes of them, and `index.json`."""
    for name in ("pictures", "decoded", "resized", "tensors"):
        shutil.rmtree(directory / name, ignore_errors=True)
        (directory / name).mkdir(parents=True)
    cases = jpeg_cases() + png_cases() + other_cases() + size_cases()
    described = [_write_case(case, directory) for case in cases]
    index = {"format": 1, "specs": {name: spec.table() for name, spec in SPECS.items()}, "cases": described}
    (directory / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    size = sum(f.stat().st_size for f in directory.rglob("*") if f.is_file())
    print(f"wrote {len(cases)} cases to {directory}, {size / 1e6:.2f} MB")


def _write_case(case: Case, directory: Path) -> dict:
    file = f"pictures/{case.name}.{ {'jpeg': 'jpg'}.get(case.form, case.form)}"
    (directory / file).write_bytes(case.data)
    outputs = [_write_output(case, name, directory) for name in case.specs]
    upright = decode(case.data, SPECS[case.specs[0]])
    decoded: dict = {"width": upright.width, "height": upright.height, "exact": case.exact, "sha256": hashlib.sha256(upright.tobytes()).hexdigest()}
    if not case.exact:
        decoded["file"] = f"decoded/{case.name}.png"
        upright.save(directory / decoded["file"], optimize=True)
    with Image.open(io.BytesIO(case.data)) as opened:
        width, height = opened.size
    return {"name": case.name, "file": file, "format": case.form, "width": width, "height": height, "decoded": decoded, "outputs": outputs}


def _write_output(case: Case, name: str, directory: Path) -> dict:
    spec = SPECS[name]
    resized = fit(decode(case.data, spec), spec)
    png = f"resized/{case.name}.{name}.png"
    resized.save(directory / png, optimize=True)
    tensor = normalise(resized, spec)
    output = {"spec": name, "resized_png": png, "tensor": {"shape": list(tensor.shape), "mean": float(tensor.mean(dtype=np.float64)), "std": float(tensor.std(dtype=np.float64))}}
    if case.name in ("png-rgb", "jpeg-420", "png-rgba-16") and name in SMALL:
        output["tensor_f32_file"] = f"tensors/{case.name}.{name}.f32"
        (directory / output["tensor_f32_file"]).write_bytes(tensor.astype("<f4").tobytes())
    return output


def main() -> None:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.golden_vectors", description=__doc__)
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parents[3] / "tests" / "golden" / "preprocess")
    write_vectors(parser.parse_args().into)


if __name__ == "__main__":
    main()
