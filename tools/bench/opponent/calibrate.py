"""The opponent: onnxruntime's own calibration of MatMul tensors. Usage: MODEL SAMPLES.bin METHOD COUNT SCRATCH."""
import sys
import time

import numpy
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator

model, samples, method, count, scratch = sys.argv[1:]
ids = numpy.fromfile(samples, numpy.int64).reshape(-1, 1, 128)[: int(count)]


class Reader(CalibrationDataReader):
    def __init__(self):
        self.position = 0

    def get_next(self):
        if self.position == len(ids):
            return None
        sample = ids[self.position]
        self.position += 1
        return {
            "input_ids": sample,
            "attention_mask": numpy.ones_like(sample),
            "token_type_ids": numpy.zeros_like(sample),
        }


calibrator = create_calibrator(
    model,
    ["MatMul"],
    augmented_model_path=scratch,
    calibrate_method={"percentile": CalibrationMethod.Percentile, "entropy": CalibrationMethod.Entropy}[method],
    use_external_data_format=False,
)
start = time.perf_counter()
calibrator.collect_data(Reader())
ranges = calibrator.compute_data()
print(len(ranges.data), round(time.perf_counter() - start, 2))
