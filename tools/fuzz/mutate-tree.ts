import type { Random } from '../../packages/core/src/foundation/index.ts';
import { encode, type Field, isMessage, join, type Message, walk } from './protobuf-tree.ts';
import { isName, type MessageType, messageIn, messages } from './schema.ts';

/** Changes the tree; `donor` is another model to take parts from. */
type TreeMutation = (root: Message, random: Random, donor: () => Message) => void;

const numbers = [0n, 1n, -1n, 2n, 3n, 7n, 8n, 13n, 14n, 22n, 63n, 64n, 99n, 127n, 128n, 255n, 65_536n, -128n];
const edges = [31n, 32n, 53n, 62n, 63n].flatMap((bit) => [2n ** bit - 1n, 2n ** bit, -(2n ** bit)]);
const extremes = [...numbers, ...edges];

/** Names that some code might take for more than names. */
const dictionary = ['', 'x', 'constructor', '__proto__', 'toString', 'ai.onnx', 'com.microsoft', 'Constant', 'Identity']
  .concat([
    'Transpose',
    'Reshape',
    'Cast',
    'MatMul',
    'Gather',
    'If',
    'Loop',
    'location',
    'offset',
    '../x',
    '\0',
    '\uffff',
  ])
  .map((name) => new TextEncoder().encode(name))
  .concat([Uint8Array.of(0xff), Uint8Array.of(0xc3, 0x28), new Uint8Array(70_000).fill(97)]);

interface Spot {
  readonly message: Message;
  readonly field: Field;
  readonly index: number;
}

function spots(root: Message, holds: (field: Field, message: Message) => boolean = () => true): Spot[] {
  return walk(root).flatMap((message) =>
    message.fields.flatMap((field, index) => (holds(field, message) ? [{ message, field, index }] : [])),
  );
}

/** A spot of a random kind of message first: else the many names of nodes would get nearly all changes. */
function pickSpot(found: readonly Spot[], random: Random): Spot | undefined {
  if (found.length === 0) return undefined;
  const type = random.pick([...new Set(found.map(({ message }) => message.type))]);
  return random.pick(found.filter(({ message }) => message.type === type));
}

const integer: TreeMutation = (root, random) => {
  const spot = pickSpot(
    spots(root, ({ wireType }) => wireType === 0),
    random,
  );
  if (spot) spot.field.value = random.next() < 0.8 ? random.pick(extremes) : BigInt(random.integer(30));
};

const drop: TreeMutation = (root, random) => {
  const spot = pickSpot(spots(root), random);
  spot?.message.fields.splice(spot.index, 1);
};

const repeat: TreeMutation = (root, random) => {
  const spot = pickSpot(spots(root), random);
  const count = random.next() < 0.9 ? 1 : random.integer(2000);
  if (spot) spot.message.fields.splice(spot.index, 0, ...Array.from({ length: count }, () => ({ ...spot.field })));
};

const swap: TreeMutation = (root, random) => {
  const spot = pickSpot(spots(root), random);
  if (!spot) return;
  const { fields } = spot.message;
  const other = random.integer(fields.length);
  [fields[spot.index], fields[other]] = [fields[other] as Field, spot.field];
};

const lie: TreeMutation = (root, random) => {
  const spot = pickSpot(
    spots(root, ({ wireType }) => wireType === 2),
    random,
  );
  if (spot) spot.field.lengthLie = random.pick([-1, 1, 2, -2, 127, 16_384, 2 ** 31, 2 ** 52]);
};

const rename: TreeMutation = (root, random, donor) => {
  const isText = (field: Field, { type }: Message): boolean => isName(type, field.number) && field.wireType === 2;
  const spot = pickSpot(spots(root, isText), random);
  if (!spot) return;
  const from = random.next() < 0.7 ? spots(random.next() < 0.8 ? root : donor(), isText) : [];
  spot.field.value = from.length > 0 ? random.pick(from).field.value : random.pick(dictionary);
};

const retype: TreeMutation = (root, random) => {
  const spot = pickSpot(spots(root), random);
  if (!spot) return;
  spot.field.wireType = random.integer(8);
  // The content stays, unless it could not be written at all.
  if (spot.field.wireType !== 0 && typeof spot.field.value === 'bigint') spot.field.value = new Uint8Array(8);
};

const renumber: TreeMutation = (root, random) => {
  const spot = pickSpot(spots(root), random);
  if (spot) spot.field.number = random.next() < 0.8 ? random.integer(30) : random.pick([0, 100, 19_000, 536_870_911]);
};

const lengthen: TreeMutation = (root, random) => {
  const spot = pickSpot(
    spots(root, ({ wireType }) => wireType === 0 || wireType === 2),
    random,
  );
  if (spot) spot.field.padding = 1 + random.integer(10);
};

const payload: TreeMutation = (root, random) => {
  const spot = pickSpot(
    spots(root, ({ value }) => value instanceof Uint8Array),
    random,
  );
  if (!spot) return;
  const bytes = spot.field.value as Uint8Array;
  const more = Uint8Array.from({ length: random.integer(9) }, () => random.integer(256));
  spot.field.value = random.next() < 0.5 ? bytes.subarray(0, random.integer(bytes.length + 1)) : join([bytes, more]);
};

/** Takes a message of the same kind from another model. */
const splice: TreeMutation = (root, random, donor) => {
  const spot = pickSpot(
    spots(root, ({ value }) => isMessage(value)),
    random,
  );
  if (!spot) return;
  const { type } = spot.field.value as Message;
  const same = walk(donor()).filter((message) => message.type === type);
  if (same.length > 0) spot.field.value = random.pick(same);
};

/** A message where a number or a name was, or the other way round. */
const confuse: TreeMutation = (root, random) => {
  const spot = pickSpot(spots(root), random);
  const other = pickSpot(spots(root), random);
  if (!spot || !other || isMessage(other.field.value)) return;
  spot.field.wireType = other.field.wireType;
  spot.field.value = other.field.value;
};

const unknown: TreeMutation = (root, random) => {
  const message = random.pick(walk(root));
  const field = { number: 40 + random.integer(1000), wireType: 0, value: BigInt(random.integer(1000)) };
  message.fields.splice(random.integer(message.fields.length + 1), 0, field);
};

/** How a kind of message comes to hold itself: the fields on the way. */
const cycles: readonly (readonly [MessageType, readonly number[]])[] = [
  ['Graph', [1, 5, 6]],
  ['Type', [4, 1]],
  ['Type', [5, 2]],
];

const deepen: TreeMutation = (root, random) => {
  const [type, way] = random.pick(cycles);
  const spot = pickSpot(
    spots(root, ({ value }) => isMessage(value) && value.type === type),
    random,
  );
  if (!spot) return;
  const depth = random.next() < 0.95 ? random.integer(40) : random.integer(3000);
  let inner = encode(spot.field.value as Message);
  for (let level = 0; level < depth; level++) inner = wrap(type, way, inner);
  spot.field.value = inner;
};

function wrap(type: MessageType, way: readonly number[], inner: Uint8Array): Uint8Array {
  const types = way.slice(0, -1).reduce<MessageType[]>(
    (list, field) => {
      list.push(messageIn(list.at(-1) as MessageType, field) as MessageType);
      return list;
    },
    [type],
  );
  let value: Uint8Array = inner;
  for (let step = way.length - 1; step >= 0; step--) {
    const fields: Field[] = [{ number: way[step] as number, wireType: 2, value }];
    const holder = types[step] as MessageType;
    // An attribute needs a name and a node an operator, or the reader stops before it goes deep.
    if (holder === 'Attribute' || holder === 'Node')
      fields.unshift({ number: holder === 'Node' ? 4 : 1, wireType: 2, value: new TextEncoder().encode('If') });
    value = encode({ type: holder, fields });
  }
  return value;
}

const empty: TreeMutation = (root, random) => {
  const spot = pickSpot(
    spots(root, ({ value }) => isMessage(value)),
    random,
  );
  if (spot) spot.field.value = { type: (spot.field.value as Message).type, fields: [] };
};

/** A field that the schema knows, put where it was not. */
const addKnown: TreeMutation = (root, random, donor) => {
  const message = random.pick(walk(root));
  const known = Object.keys(messages[message.type]).map(Number);
  const others = walk(donor())
    .filter(({ type }) => type === message.type)
    .flatMap(({ fields }) => fields);
  const field: Field =
    others.length > 0
      ? { ...random.pick(others) }
      : { number: known.length > 0 ? random.pick(known) : 1, wireType: 2, value: new Uint8Array() };
  message.fields.splice(random.integer(message.fields.length + 1), 0, field);
};

const mutations = [
  integer,
  integer,
  drop,
  drop,
  repeat,
  swap,
  lie,
  rename,
  rename,
  retype,
  renumber,
  lengthen,
  payload,
].concat([splice, splice, confuse, unknown, deepen, empty, addKnown]);

/** Changes one thing that has a meaning. */
export const mutateTree: TreeMutation = (root, random, donor) => random.pick(mutations)(root, random, donor);
