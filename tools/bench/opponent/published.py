"""Files as they are published: quantized by Python tools for no CPU in particular.

Usage: SOURCE TARGET FORM, where FORM is dynamic-TYPE[-channel][-7bit], static-s8s8[-operator], or nbits-BITS-BLOCK.
"""
import sys

import numpy
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

source, target, form = sys.argv[1:]
kind, *flags = form.split("-")


class Reader(CalibrationDataReader):
    """Token ids by chance: latency does not depend on ranges."""

    def __init__(self):
        random = numpy.random.default_rng(1)
        shape = (1, 128)
        ids = {"input_ids": random.integers(1000, 20000, shape)}
        ones = {"attention_mask": numpy.ones(shape, numpy.int64)}
        zeros = {"token_type_ids": numpy.zeros(shape, numpy.int64)}
        self.samples = iter([{**ids, **ones, **zeros}])

    def get_next(self):
        return next(self.samples, None)


def pack(weight, bits, block):
    """Symmetric blocks along K, low bits first: B [N, K / block, block * bits / 8] and scales [N * K / block]."""
    depth, columns = weight.shape
    blocks = weight.T.reshape(columns, depth // block, block)
    half = 2 ** (bits - 1)
    scales = numpy.maximum(numpy.abs(blocks).max(-1), 1e-8) / (half - 1)
    integers = numpy.clip(numpy.rint(blocks / scales[..., None]) + half, 0, 2 * half - 1).astype(numpy.uint8)
    packed = integers if bits == 8 else integers[..., 0::2] | (integers[..., 1::2] << 4)
    return numpy.ascontiguousarray(packed), scales.reshape(-1).astype(numpy.float32)


def nbits(bits, block):
    """What MatMulNBitsQuantizer makes, at its default accuracy level 0."""
    model = onnx.load(source)
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        weight = stored.get(node.input[1]) if node.op_type == "MatMul" else None
        if weight is None or len(weight.dims) != 2:
            continue
        packed, scales = pack(numpy_helper.to_array(weight), bits, block)
        names = [f"{weight.name}_Q{bits}", f"{weight.name}_scales"]
        graph.initializer.extend(
            numpy_helper.from_array(array, name) for array, name in zip((packed, scales), names)
        )
        inputs = [node.input[0], *names]
        depth, columns = weight.dims
        graph.initializer.remove(weight)
        attributes = {"K": depth, "N": columns, "bits": bits, "block_size": block, "accuracy_level": 0}
        node.CopyFrom(
            helper.make_node(
                "MatMulNBits", inputs, list(node.output), node.name, domain="com.microsoft", **attributes
            )
        )
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, target)


if kind == "dynamic":
    weights = {"u8": QuantType.QUInt8, "s8": QuantType.QInt8}[flags[0]]
    quantize_dynamic(
        source, target, weight_type=weights, per_channel="channel" in flags, reduce_range="7bit" in flags
    )
elif kind == "static":
    types = {"activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8}
    written = QuantFormat.QOperator if "operator" in flags else QuantFormat.QDQ
    quantize_static(source, target, Reader(), quant_format=written, **types)
else:
    nbits(int(flags[0]), int(flags[1]))
