"""The opponent: onnxruntime's own dynamic quantization with its defaults. Usage: SOURCE TARGET [per_channel]."""
import sys

from onnxruntime.quantization import QuantType, quantize_dynamic

source, target, *flags = sys.argv[1:]
quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel="per_channel" in flags)
