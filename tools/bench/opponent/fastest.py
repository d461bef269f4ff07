"""The opponent: files that onnxruntime's own tools make of a BERT encoder, by every recipe that they offer.

Usage: SOURCE FOLDER HEADS HIDDEN [NAME...]. Writes FOLDER/N.onnx and prints one line of JSON for each candidate: its
name, and either the path and what is in the file or why there is none.
"""
import json
import os
import sys
import traceback

import numpy
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model

source, folder, heads, hidden, *wanted = sys.argv[1:]
SEQUENCE = 128
CALIBRATION_SAMPLES = 4


class Reader(CalibrationDataReader):
    """Token ids by chance: latency does not depend on ranges, and the weights are random too."""

    def __init__(self):
        random = numpy.random.default_rng(1)
        shape = (1, SEQUENCE)
        self.samples = iter(
            [
                {
                    "input_ids": random.integers(1000, 20000, shape),
                    "attention_mask": numpy.ones(shape, numpy.int64),
                    "token_type_ids": numpy.zeros(shape, numpy.int64),
                }
                for _ in range(CALIBRATION_SAMPLES)
            ]
        )

    def get_next(self):
        return next(self.samples, None)


def preprocess(path):
    """The step that the documentation asks for; its symbolic shape inference gives up on this graph."""
    quant_pre_process(source, path, skip_symbolic_shape=True)


def fuse(**options):
    """The transformers optimizer, with some of its fusions switched."""

    def make(path):
        fusions = FusionOptions("bert")
        for name, value in options.items():
            if not hasattr(fusions, name):
                raise AttributeError(f"FusionOptions has no {name}")
            setattr(fusions, name, value)
        model = optimize_model(
            source, "bert", num_heads=int(heads), hidden_size=int(hidden), opt_level=0, optimization_options=fusions
        )
        model.save_model_to_file(path)

    return make


WITHOUT_SKIP = {"enable_skip_layer_norm": False, "enable_bias_skip_layer_norm": False, "enable_embed_layer_norm": False}
GRAPHS = {
    "pre-processed": preprocess,
    "fused": fuse(),
    "fused, gelu approximation": fuse(enable_gelu_approximation=True),
    "fused, no SkipLayerNorm": fuse(**WITHOUT_SKIP),
    "fused, no SkipLayerNorm, no Attention": fuse(**WITHOUT_SKIP, enable_attention=False),
    "fused, no SkipLayerNorm, no Attention, gelu approximation": fuse(
        **WITHOUT_SKIP, enable_attention=False, enable_gelu_approximation=True
    ),
}


def dynamic(weight, per_channel, reduce_range=False):
    def make(graph, path):
        quantize_dynamic(
            graph,
            path,
            weight_type=weight,
            per_channel=per_channel,
            reduce_range=reduce_range,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )

    return make


def static(form, activations=QuantType.QUInt8, **extra):
    def make(graph, path):
        quantize_static(
            graph,
            path,
            Reader(),
            quant_format=form,
            per_channel=True,
            activation_type=activations,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm", "Gather", "Attention"],
            extra_options=extra,
        )

    return make


def blocks(bits, size, level):
    def make(graph, path):
        # Imported here: it needs packages that the others do not.
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        quantizer = MatMulNBitsQuantizer(onnx.load(graph), bits=bits, block_size=size, accuracy_level=level)
        quantizer.process()
        quantizer.model.save_model_to_file(path)

    return make


S8, U8 = QuantType.QInt8, QuantType.QUInt8
SCHEMES = {
    "dynamic s8 per tensor": dynamic(S8, False),
    "dynamic s8 per channel": dynamic(S8, True),
    "dynamic u8 per tensor": dynamic(U8, False),
    "dynamic u8 per channel": dynamic(U8, True),
    "dynamic s8 per tensor, 7 bits": dynamic(S8, False, True),
    "dynamic s8 per channel, 7 bits": dynamic(S8, True, True),
    "static QDQ u8s8": static(QuantFormat.QDQ),
    "static QDQ s8s8": static(QuantFormat.QDQ, S8),
    "static QOperator u8s8": static(QuantFormat.QOperator),
    "blocks 4 bits 128, level 4": blocks(4, 128, 4),
    "blocks 8 bits 128, level 4": blocks(8, 128, 4),
}

# Every scheme on the graph as it is; the forms of the graph with the schemes that are fast and those that are exact
# without VNNI. Attention has an integer form in dynamic quantization only.
CANDIDATES = [("as exported", scheme) for scheme in SCHEMES] + [
    (graph, scheme)
    for graph in GRAPHS
    for scheme in ("dynamic s8 per tensor", "dynamic s8 per channel", "dynamic s8 per channel, 7 bits", "static QDQ u8s8")
]


def describe(path):
    counts = {}
    for node in onnx.load(path, load_external_data=False).graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return counts


made = {"as exported": source}


def prepared(graph):
    """Path of a form of the graph; each is made once."""
    if graph not in made:
        path = os.path.join(folder, f"graph-{len(made)}.onnx")
        GRAPHS[graph](path)
        made[graph] = path
    return made[graph]


for index, (graph, scheme) in enumerate(CANDIDATES):
    name = f"{scheme}; {graph}"
    if wanted and not any(part in name for part in wanted):
        continue
    path = os.path.join(folder, f"{index}.onnx")
    line = {"name": name}
    try:
        SCHEMES[scheme](prepared(graph), path)
        line |= {"path": path, "bytes": os.path.getsize(path), "operators": describe(path)}
    except Exception as error:  # noqa: BLE001: whatever a tool cannot do is one line of the table
        traceback.print_exc()
        line["problem"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    print(json.dumps(line), flush=True)

for graph in GRAPHS:
    # As large as the source, and no longer needed.
    if graph in made:
        os.remove(made[graph])
