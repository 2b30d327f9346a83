"""Which notes are played: Basic Pitch on synthesized ones."""

import numpy as np
import onnx

from .network import Samples, TrainedNetwork, fix_shapes
from .wheels import member

WHEEL, FILE = "basic-pitch==0.4.0", "basic_pitch/saved_models/icassp_2022/nmp.onnx"
INPUT, NOTES = "serving_default_input_2:0", "StatefulPartitionedCall:1"
RATE, LENGTH, HOP, FRAMES = 22050, 43844, 256, 172  # Hz, samples, samples, and what comes out
LOWEST, KEYS, THRESHOLD = 21, 88, 0.3  # MIDI number of the first key; probability, as the package has it


def play(random, key, length):
    """Samples of one note, plucked or held: harmonics that die away, the higher the sooner."""
    t = np.arange(length) / RATE
    frequency = 440.0 * 2 ** ((LOWEST + key - 69) / 12)
    held, decay, tilt = random.random() < 0.4, random.uniform(1, 4), random.uniform(0.8, 2.0)
    tone = np.zeros(length)
    for h in range(1, 1 + int(min(12, RATE / 2 / frequency))):
        fading = 1.0 if held else np.exp(-decay * (1 + 0.3 * h) * t)
        tone += h**-tilt * fading * np.sin(2 * np.pi * h * frequency * t + random.uniform(0, 2 * np.pi))
    edge = np.minimum(1.0, np.minimum(t / 0.01, (length / RATE - t) / 0.02))
    return tone * edge * random.uniform(0.3, 1.0)


def sample_music(count, seed):
    """[1,43844,1] samples, two seconds; truths are the keys that sound, bool [172,88]."""
    feeds, truths = [], []
    for i in range(count):
        random = np.random.default_rng([seed, i])
        sound, truth = random.standard_normal(LENGTH) * 10 ** random.uniform(-4, -2), np.zeros((FRAMES, KEYS), bool)
        for _ in range(int(random.integers(3, 12))):
            key, length = int(random.integers(12, 76)), int(random.integers(RATE // 5, RATE))
            start = int(random.integers(0, LENGTH - length))
            sound[start : start + length] += play(random, key, length)
            truth[start // HOP : (start + length) // HOP, key] = True
        sound *= random.uniform(0.2, 1.0) / np.abs(sound).max()
        feeds.append({INPUT: sound.astype(np.float32)[None, :, None]})
        truths.append(truth)
    return Samples(feeds, truths)


def score_notes(outputs, _, truths):
    """F1 of keys and frames of 12 ms, in percent."""
    found = np.stack([o[NOTES][0] > THRESHOLD for o in outputs])
    truth = np.stack(truths)
    return 200.0 * float((found & truth).sum() / (found.sum() + truth.sum()))


NETWORKS = [
    TrainedNetwork(
        "note-transcription",
        f"{WHEEL}: Basic Pitch",
        "Apache-2.0",
        "F1 of the notes that sound in each frame, %",
        lambda: fix_shapes(onnx.load_from_string(member(WHEEL, FILE)), {INPUT: (1, LENGTH, 1)}),
        sample_music,
        score_notes,
        held_out_count=100,
    )
]
