import { describe, expect, it } from 'vitest';
import { verify } from '../ir/index.ts';
import { parseModel, printModel } from '../text/index.ts';
import { raiseOpset } from './raise-opset.ts';

function raised(body: string, { opset = 9, inputs = 'float[2,3,4] x' } = {}) {
  const model = parseModel(`<ir_version: 4, opset_import: ["": ${opset}]> g (${inputs}) => (y) { ${body} }`);
  const before = printModel(model);
  const reasons = raiseOpset(model);
  expect(verify(model)).toEqual([]);
  const text = printModel(model);
  if (reasons.length > 0) expect(text).toBe(before);
  const lines = text.split('\n').map((line) => line.trim().replace(/,$/, ''));
  return {
    reasons,
    opset: model.opset(),
    irVersion: model.irVersion,
    lines: lines.filter((line) => line.includes(' = ')),
  };
}

describe('raiseOpset', () => {
  it.each([
    [
      'y = Slice <axes = [1], starts = [0], ends = [2]> (x)',
      ['{0}', '{2}', '{1}'],
      'y = Slice (x, weight_2, weight_3, weight_4)',
    ],
    ['y = Clip <min = 0.0, max = 6.0> (x)', ['{0}', '{6}'], 'y = Clip (x, weight_2, weight_3)'],
    ['y = Clip <max = 6.0> (x)', ['{6}'], 'y = Clip (x, "", weight_2)'],
    [
      'y = Pad <pads = [0, 0, 0, 0, 0, 1], value = 2.0> (x)',
      ['{0,0,0,0,0,1}', '{2}'],
      'y = Pad (x, weight_2, weight_3)',
    ],
    ['y = Squeeze (x)', [], 'y = Squeeze (x)'],
    ['y = Unsqueeze <axes = [0]> (x)', ['{0}'], 'y = Unsqueeze (x, weight_2)'],
    ['y = ReduceSum <axes = [1], keepdims = 0> (x)', ['{1}'], 'y = ReduceSum <keepdims = 0> (x, weight_2)'],
    ['y = Softmax <axis = 2> (x)', [], 'y = Softmax <axis = -1> (x)'],
    ['y = Dropout <ratio = 0.25> (x)', [], 'y = Dropout (x)'],
    ['y = Relu (x)', [], 'y = Relu (x)'],
  ])('rewrites %s', (body, constants, node) => {
    const { lines, ...rest } = raised(body);
    expect(rest).toEqual({ reasons: [], opset: 13, irVersion: 7 });
    expect(lines.slice(0, -1).map((line) => line.split(' = ')[1])).toEqual(constants);
    expect(lines.at(-1)).toBe(node);
  });

  it('rewrites what several outputs come from', () => {
    expect(raised('a, b = Split <axis = 1, split = [1, 2]> (x)  y = Sub (b, a)').lines[0]).toContain('{1,2}');
    expect(raised('v, i = TopK <k = 2> (x)  y = Identity (v)').lines).toContain('v, i = TopK (x, weight_4)');
  });

  it.each([
    ['Softmax over several axes', 'y = Softmax (x)', {}],
    ['Softmax of unknown rank', 'y = Softmax <axis = 2> (x)', { inputs: 'float x' }],
    ['Clip of other floats', 'y = Clip <min = 0.0> (x)', { inputs: 'float16[2] x' }],
    ['BatchNormalization by element', 'y = BatchNormalization <spatial = 0> (x, x, x, x, x)', { opset: 8 }],
    ['Upsample', 'y = Upsample (x, x)', {}],
    ['Resize of opset 10', 'y = Resize (x, x)', { opset: 10 }],
    ['what broadcasts by attributes', 'y = Relu (x)', { opset: 6 }],
  ])('refuses %s and changes nothing', (_what, body, options) => {
    const { reasons } = raised(body, options);
    expect(reasons).toHaveLength(1);
  });

  it('leaves what is new enough', () => {
    expect(raised('y = Softmax <axis = 1> (x)', { opset: 13 })).toMatchObject({ reasons: [], irVersion: 4 });
    expect(raised('y = Clip (x)', { opset: 12 })).toMatchObject({ reasons: [], opset: 13 });
  });

  it('rewrites branches', () => {
    const body = `y = If (c) <then_branch = t () => (float a) { a = Clip <max = 1.0> (x) }, else_branch = e () => (float b) { b = Squeeze <axes = [0]> (x) }>`;
    const { reasons, lines } = raised(body, { inputs: 'bool c, float[1] x' });
    expect(reasons).toEqual([]);
    expect(lines.join('\n')).not.toContain('axes');
  });
});
