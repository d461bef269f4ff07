import { describe, expect, it } from 'vitest';
import { OptimumError, seededRandom } from '../foundation/index.ts';
import { parseModel } from './index.ts';

/** Text, the place of the error, and what the message says. */
const malformed: readonly [text: string, place: string, message: RegExp][] = [
  ['', '1:1', /expected the name of a graph, got the end/],
  ['g', '1:2', /expected "=>", got the end/],
  ['g (x)\n  -> (y) {}', '2:3', /expected a token, got "-"/],
  ['g () => () {', '1:13', /expected a name|got the end/],
  ['g () => () {} g', '1:16', /expected "=>"/],
  ['<ir_version: 8', '1:15', /expected ">", got the end/],
  ['<ir_versoin: 8> g () => () {}', '1:2', /expected one of ir_version.*got "ir_versoin"/],
  ['<ir_version: "8"> g () => () {}', '1:14', /expected a whole number, got a string/],
  ['<ir_version: 8, ir_version: 8> g () => () {}', '1:17', /"ir_version" is there twice/],
  ['<opset_import: [17]> g () => () {}', '1:17', /expected a key in quotes, got "17"/],
  ['<model_version: 9223372036854775808> g () => () {}', '1:17', /does not fit into int64/],
  ['g (floot x) => () {}', '1:10', /expected "\)", got "x"/],
  ['g (float[-1] x) => () {}', '1:10', /expected a dimension, got "-1"/],
  ['g (float[1.5] x) => () {}', '1:10', /expected a dimension, got "1.5"/],
  ['g (seq(flot) x) => () {}', '1:8', /expected a type, got "flot"/],
  ['g (map(float) x) => () {}', '1:13', /expected ",", got "\)"/],
  ['g (float x, float x) => () {}', '1:19', /"x" is given to two values/],
  ['g (x) => () {\n  y = Neg (x)\n  y = Neg (x)\n}', '3:3', /"y" is given to two values/],
  ['g (x) => (y) {}', '1:11', /"y" is an output, but nothing makes it/],
  ['g (input) => (y) { y = Neg (inptu) }', '1:29', /"inptu" is read, but not defined before/],
  ['g () => (y) { y = Neg (z) z = Op () }', '1:24', /"z" is read, but not defined before/],
  ['g () => () <float[2] t> {}', '1:22', /"t" has a type, but nothing here makes it/],
  ['g () => () <float[2] W = {1}> {}', '1:13', /expected 2 values for a tensor of \[2\], got 1/],
  ['g () => () <float W = {1,2}> {}', '1:13', /expected 1 values/],
  ['g () => () <W = {1}> {}', '1:13', /"W" has data, but no type/],
  ['g () => () <float[N] W = {1}> {}', '1:13', /expected a size, got the dimension "N"/],
  ['g () => () <float[] W = {1}> {}', '1:13', /not the type of a tensor with data/],
  ['g () => () <seq(float) W = {1}> {}', '1:13', /not the type of a tensor with data/],
  ['g () => () <int8[1] W = {128}> {}', '1:26', /expected int8 within -128 and 127, got 128/],
  ['g () => () <uint4[1] W = {-1}> {}', '1:27', /expected uint4 within 0 and 15, got -1/],
  ['g () => () <int64[1] W = {1.5}> {}', '1:27', /expected a value of int64, got "1.5"/],
  ['g () => () <float[1] W = {1e39}> {}', '1:27', /1e39 does not fit into float32/],
  ['g () => () <float16[1] W = {1e6}> {}', '1:29', /1e6 does not fit into float16/],
  ['g () => () <string[1] W = {1}> {}', '1:28', /expected a value of string/],
  ['g () => () <float[2] W = 1> {}', '1:26', /expected "\{", got "1"/],
  ['g () => () <float[9007199254740991,2] W = {}> {}', '1:13', /too large/],
  ['g () => () <float[2] W = ["location": "w.bin"]> {}', '1:27', /got external data/],
  ['g () => () <string[9999999] W = ["elided": "W"]> {}', '1:13', /at most 1048576 strings/],
  ['g () => () <float W = {1}, float W = {1}> {}', '1:34', /"W" is given to two values/],
  ['g () => () { y = Op <a> () }', '1:23', /expected "=", got ">"/],
  ['g () => () { y = Op <a = 1, a = 2> () }', '1:29', /attribute "a" is there twice/],
  ['g () => () { y = Op <a = 1> () <b = 2> }', '1:32', /expected a name|expected "="/],
  ['g () => () { y = Op <a = []> () }', '1:26', /an empty list does not show its type/],
  ['g () => () { y = Op <a = [1, "b"]> () }', '1:30', /expected a value of type int, got one of type string/],
  ['g () => () { y = Op <a: int = "s"> () }', '1:31', /expected a value of type int, got one of type string/],
  ['g () => () { y = Op <a: int = [1]> () }', '1:31', /expected a value of type int, got a list/],
  ['g () => () { y = Op <a: imt = 1> () }', '1:25', /expected the type of an attribute, got "imt"/],
  ['g () => () { y = Op <a = 9223372036854775808> () }', '1:26', /does not fit into int64/],
  ['g () => () { y = Op <a = float[2]> () }', '1:26', /attributes that hold a type/],
  ['g () => () { y = Op <a = "s> () }', '1:26', /this string never ends/],
  ['g () => () { y = Op <a = @> () }', '1:27', /expected the name of an attribute of the function/],
  ['g () => () { "\\xff" = Op () }', '1:14', /a name is not UTF-8/],
  ['g (größe) => () {}', '1:6', /expected a token, got "ö"/],
  ['g (😀) => () {}', '1:4', /expected a token, got "😀"/],
  ['g ("😀", =) => () {}', '1:9', /expected a type or a name, got "="/],
  ['#: title: "x"\ng () => () {}', '1:4', /expected one of doc_string, metadata_props, got "title"/],
  ['g () => () {} <domain: d> f () => () {}', '1:24', /expected a string, got "d"/],
];

describe('malformed texts', () => {
  it.each(malformed)('%j fails at %s', (text, place, message) => {
    const error = failureOf(text);
    expect(error?.code).toBe('E_MODEL_INVALID');
    expect(error?.message).toMatch(message);
    expect(error?.message.startsWith(`model.txt:${place}: `), error?.message).toBe(true);
    expect(error?.hint).toBeTruthy();
  });

  it('tells line, column, expected and got to programs', () => {
    expect(failureOf('g (x)\n => {}')?.context).toEqual({
      file: 'model.txt',
      line: 2,
      column: 5,
      expected: '"("',
      got: '"{"',
    });
  });

  it('suggests what may have been meant', () => {
    expect(failureOf('g (input) => (y) { y = Neg (inptu) }')?.hint).toContain('"input"');
    expect(failureOf('g (seq(flot) x) => () {}')?.hint).toContain('"float"');
  });

  it.each([
    ['types', `g (${'seq('.repeat(1000)}float`],
    ['graphs', 'g () => () { y = If () <a = '.repeat(1000)],
  ])('refuses %s that are nested too deep', (_, text) => {
    expect(failureOf(text)?.code).toBe('E_LIMIT_DEPTH');
    expect(failureOf(text)?.message).toMatch(/^model\.txt:1:\d+: /);
  });
});

function failureOf(text: string): OptimumError | undefined {
  try {
    parseModel(text, { name: 'model.txt' });
  } catch (error) {
    if (OptimumError.isInstance(error)) return error;
    throw error;
  }
  return undefined;
}

const seedText = `<ir_version: 8, opset_import: ["": 17], metadata_props: ["k": "v"]>
#: doc_string: "main"
g (float[N,2] X, seq(map(int64, optional(string))) s) => (float[N,2] Y)
<float[2,2] W = {1,-2.5e3,nan,inf}, int4[3] q = {-1,0,7}, string[1] t = {"\\xff\\n"}, float[99] e = ["elided": "e"], float[N,2] P>
{
  [a] P = MatMul (X, W)
  [b] Y = d.If:o (P, "", q) <then_branch = h () => (z) { z = Neg <a: ints = [], b = [1.5], c = @c> (P) }, v = int64 {1}>
}
<domain: "d", opset_import: ["": 17]> If <a, b: float = 1> (x, y, z) => (x) {}`;

const pieces = [
  '(',
  ')',
  '<',
  '>',
  '{',
  '}',
  '[',
  ']',
  '=',
  '=>',
  ',',
  ':',
  '.',
  '@',
  '?',
  '"',
  '\\',
  '#',
  '#:',
  '-',
  ' ',
  '\n',
  'float',
  'seq(',
  'x',
  'X',
  'nan',
  '1',
  '-1',
  '1e999',
  '99999999999999999999',
  '\u0000',
  'é',
  '\ud800',
];

describe('texts that were broken at random', () => {
  it('fail with an error that names the place, or are read', () => {
    const random = seededRandom(7);
    const codes = new Map<string, number>();
    for (let run = 0; run < 2000; run++) {
      let text = seedText;
      for (let change = random.integer(4); change >= 0; change--) {
        const at = random.integer(text.length);
        const removed = random.integer(3) === 0 ? random.integer(20) : random.integer(2);
        text = text.slice(0, at) + (random.integer(4) === 0 ? '' : random.pick(pieces)) + text.slice(at + removed);
      }
      const error = failureOf(text);
      const code = error?.code ?? 'read';
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (error) expect(error.message, text).toMatch(/^model\.txt:\d+:\d+: /);
    }
    expect(new Set(codes.keys())).toEqual(new Set(['read', 'E_MODEL_INVALID']));
  });
});
