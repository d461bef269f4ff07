// Kernels over one linear memory. Pointers are byte offsets; float arrays are 4-byte aligned; counts are arbitrary.
// Rounding is half to even by the magic constant 1.5 * 2^23, exact for |value| < 2^22. Division, never multiplication
// by a reciprocal: the results must be those of ONNX Runtime's own quantizer, bit for bit.
export { absMax, absMaxColumns, absMaxRows, minMax } from './ranges';
export { pairMaxColumns, pairMaxRows, pairViolationColumns, pairViolationRows } from './pairs';
export { quantizeInt8, quantizeInt8Columns, quantizeInt8Rows, quantizeUint8 } from './quantize';
export { flipSignBit, transposeBytes } from './layout';
export { float16ToFloat32 } from './half';
