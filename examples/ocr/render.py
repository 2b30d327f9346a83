"""Render text lines whose truth is known, as the input of PP-OCRv4's text recogniser.

    python examples/ocr/render.py              # writes calibration and evaluation sets

Fonts, sizes, colours, blur and noise come from fixed seeds: the same Pillow gives the same pixels.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / ".cache" / "ocr" / "data"
HEIGHT, WIDTH = 48, 320

CALIBRATION_LINES, CALIBRATION_SEED = 50, 11
EVALUATION_LINES, EVALUATION_SEED = 500, 23

FONT_ROOT = Path("/usr/share/fonts/truetype")
FONTS = (
    "dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSans-Bold.ttf",
    "dejavu/DejaVuSansMono.ttf",
    "dejavu/DejaVuSerif.ttf",
    "dejavu/DejaVuSerif-Bold.ttf",
    "freefont/FreeMono.ttf",
    "freefont/FreeSans.ttf",
    "freefont/FreeSansOblique.ttf",
    "freefont/FreeSerif.ttf",
    "freefont/FreeSerifBoldItalic.ttf",
    "liberation/LiberationMono-Regular.ttf",
    "liberation/LiberationSans-BoldItalic.ttf",
    "liberation/LiberationSans-Regular.ttf",
    "liberation/LiberationSansNarrow-Regular.ttf",
    "liberation/LiberationSerif-Italic.ttf",
    "liberation/LiberationSerif-Regular.ttf",
)
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # I and O are too like 1 and 0
FONT_PACKAGES = "fonts-dejavu-core fonts-freefont-ttf fonts-liberation"


class FontsMissingError(Exception):
    """A font is not installed; the message names the Debian packages."""


@dataclass(frozen=True)
class TextLines:
    """Rendered lines: `images` uint8 [S,48,320,3], BGR, and `widths` [S], the columns that carry
    the line (what is right of them is padding), and the `texts` [S] that they show."""

    images: np.ndarray
    widths: np.ndarray
    texts: list[str]

    def network_input(self, first: int = 0, last: int | None = None) -> np.ndarray:
        """float32 [S,3,48,320] of lines first … last-1: (x/255 - 0.5)/0.5, padded with 0."""
        images, widths = self.images[first:last], self.widths[first:last]
        values = (images.astype(np.float32) / 255 - np.float32(0.5)) / np.float32(0.5)
        values *= (np.arange(WIDTH) < widths[:, None])[:, None, :, None]
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def make_text(rng: np.random.Generator, words: list[str]) -> str:
    """One or two words, some capitalised, sometimes with a number, a price, a date or a code."""
    picked = [str(word) for word in rng.choice(words, size=rng.integers(1, 3))]
    style = rng.integers(4)
    if style == 0:
        picked = [word.capitalize() for word in picked]
    elif style == 1:
        picked = [word.upper() for word in picked]
    kind = rng.integers(6)
    if kind == 0:
        picked.append(f"{rng.integers(1, 10000)}")
    elif kind == 1:
        picked.append(f"{rng.integers(1, 1000)}.{rng.integers(100):02d}")
    elif kind == 2:
        picked = [picked[0], f"{rng.integers(1, 29):02d}/{rng.integers(1, 13):02d}/2024"]
    elif kind == 3:
        letters = "".join(CODE_LETTERS[i] for i in rng.integers(len(CODE_LETTERS), size=2))
        picked = [picked[0], f"{letters}-{rng.integers(1000, 100000)}"]
    return " ".join(picked)


def draw_line(rng: np.random.Generator, text: str) -> Image.Image:
    """Draw `text` as a tight RGB crop, then blur it and add noise."""
    font_path = FONT_ROOT / str(rng.choice(FONTS))
    if not font_path.exists():
        raise FontsMissingError(f"{font_path} is missing: apt-get install {FONT_PACKAGES}")
    size = int(rng.integers(15, 34))
    font = ImageFont.truetype(str(font_path), size, layout_engine=ImageFont.Layout.BASIC)
    left, _, right, _ = font.getbbox(text)
    above, below = font.getmetrics()
    margin = rng.integers(1, 2 + size // 5, size=4)
    width = int(right - left + margin[0] + margin[1])
    height = int(above + below + margin[2] + margin[3])

    paper, ink = rng.integers(150, 256, size=3), rng.integers(0, 110, size=3)
    if rng.random() < 0.25:
        paper, ink = ink, paper
    image = Image.new("RGB", (width, height), tuple(map(int, paper)))
    origin = (int(margin[0] - left), int(margin[2]))
    ImageDraw.Draw(image).text(origin, text, font=font, fill=tuple(map(int, ink)))
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 0.045 * size))))

    noise = rng.normal(0, rng.uniform(0, 30), size=(image.height, image.width, 3))
    noisy = np.clip(np.asarray(image) + noise, 0, 255).round().astype(np.uint8)
    return Image.fromarray(noisy)


def fit(image: Image.Image) -> tuple[np.ndarray, int]:
    """Resize a line to height 48 and at most width 320, as PP-OCR does: uint8 [48,320,3] in BGR,
    black at the right, and the width that is used."""
    width = min(WIDTH, -(-image.width * HEIGHT // image.height))
    resized = image.resize((width, HEIGHT), Image.Resampling.BILINEAR)
    padded = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    padded[:, :width] = np.asarray(resized)[:, :, ::-1]
    return padded, width


def render(lines: int, seed: int) -> TextLines:
    """Render `lines` lines; line i depends on `seed` and i only. Raises FontsMissingError."""
    words = (HERE / "words.txt").read_text(encoding="ascii").split()
    texts, images, widths = [], [], []
    for index in range(lines):
        rng = np.random.default_rng([seed, index])
        texts.append(make_text(rng, words))
        image, width = fit(draw_line(rng, texts[-1]))
        images.append(image)
        widths.append(width)
    return TextLines(np.stack(images), np.array(widths), texts)


def calibration_lines() -> TextLines:
    """The 50 lines that ranges are calibrated on."""
    return render(CALIBRATION_LINES, CALIBRATION_SEED)


def evaluation_lines(lines: int = EVALUATION_LINES) -> TextLines:
    """The first `lines` evaluation lines."""
    return render(lines, EVALUATION_SEED)


def main() -> None:
    """Write calibration/NNNN.npy, evaluation/NNNN.npy (each [1,3,48,320]) and evaluation.txt."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=EVALUATION_LINES, help="evaluation lines")
    parser.add_argument("--out", type=Path, default=DATA, help="folder to write to")
    options = parser.parse_args()

    evaluation = evaluation_lines(options.lines)
    for name, lines in (("calibration", calibration_lines()), ("evaluation", evaluation)):
        folder = options.out / name
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(len(lines.texts)):
            np.save(folder / f"{index:04d}.npy", lines.network_input(index, index + 1))
    truth = "".join(text + "\n" for text in evaluation.texts)
    (options.out / "evaluation.txt").write_text(truth, encoding="ascii")
    print(f"{options.out}: {CALIBRATION_LINES} calibration and {options.lines} evaluation lines")


if __name__ == "__main__":
    main()
