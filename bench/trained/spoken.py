"""Clips of synthesized speech with noise: espeak-ng, of Debian, says sentences of words."""

import io
import subprocess
import wave
from functools import cache
from typing import NamedTuple

import numpy as np

from sentence_encoder import SENTENCES

RATE = 16000  # Hz
VOICES = ("en-us", "en-gb", "en-us+f2", "en-gb+f4", "en-us+m3", "en-gb-scotland+m7", "de", "fr+f3", "es", "it+m2")


class Clip(NamedTuple):
    """Float64 samples in -1 to 1, [S] each: the speech alone, and with noise."""

    clean: np.ndarray
    noisy: np.ndarray


@cache
def say(text, voice, speed, pitch):
    """Samples [S] at RATE, of largest magnitude 1; speed in words per minute."""
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
        pcm = np.frombuffer(data[data.index(b"data") + 8 :], np.int16).astype(np.float64)
    return resample(pcm, rate) / max(np.abs(pcm).max(), 1.0)


def resample(samples, rate):
    """To RATE, by cutting the spectrum."""
    count = len(samples) * RATE // rate
    return np.fft.irfft(np.fft.rfft(samples)[: count // 2 + 1], count) * count / len(samples)


def noise(random, count):
    """Coloured noise [S] of unit power: its spectrum falls by 0 to 9 dB an octave."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** random.uniform(0, 1.5)
    samples = np.fft.irfft(spectrum, count)
    return samples / np.sqrt(np.mean(samples**2))


def make_clip(random, seconds, seed):
    """Pieces of sentences between pauses, with noise 0 to 25 dB below the speech; a seed has sentences of its own."""
    count = round(seconds * RATE)
    sentences = SENTENCES[seed % 2 :: 2]
    clean, at = np.zeros(count), int(random.integers(0, RATE))
    while at < count:
        words = str(random.choice(sentences)).split()
        text = " ".join(words[: int(random.integers(2, len(words)))])
        speech = say(
            text, str(random.choice(VOICES)), int(random.integers(13, 20)) * 10, int(random.integers(3, 8)) * 10
        )
        end = min(at + len(speech), count)
        clean[at:end] += speech[: end - at] * random.uniform(0.4, 1.0)
        at = end + int(random.integers(RATE // 4, 2 * RATE))
    level = np.sqrt(np.mean(clean[clean != 0] ** 2)) if clean.any() else 0.1
    clean *= 0.1 * 10 ** random.uniform(-0.5, 0.3) / level
    below = 10 ** (-random.uniform(0, 25) / 20)
    noisy = clean + noise(random, count) * below * np.sqrt(np.mean(clean[clean != 0] ** 2) if clean.any() else 0.01)
    loudest = max(np.abs(noisy).max(), 1.0)
    return Clip(clean / loudest, noisy / loudest)


def make_clips(count, seed, seconds):
    """`count` of them."""
    return [make_clip(np.random.default_rng([seed, i]), seconds, seed) for i in range(count)]
