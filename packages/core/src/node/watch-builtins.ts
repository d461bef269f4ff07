/** What all code shares: a module that changes it changes what this program does. */
const shared: Readonly<Record<string, object>> = {
  globalThis,
  'Object.prototype': Object.prototype,
  'Array.prototype': Array.prototype,
  'Function.prototype': Function.prototype,
  'String.prototype': String.prototype,
  'Number.prototype': Number.prototype,
  'Promise.prototype': Promise.prototype,
  'Map.prototype': Map.prototype,
  'Set.prototype': Set.prototype,
  Object,
  Array,
  Number,
  JSON,
  Math,
  Promise,
};

type Descriptors = Readonly<Record<string, PropertyDescriptor>>;

/**
 * Remembers the shared objects of the language. What it returns puts back what was changed since then, and returns the
 * names of it (`Array.prototype.map`). New globals are no change; Node's own that are made at first use are none either.
 */
export function watchBuiltins(): () => string[] {
  const before = Object.entries(shared).map(
    ([name, object]) => [name, object, Object.getOwnPropertyDescriptors(object) as Descriptors] as const,
  );
  return () => before.flatMap(([name, object, descriptors]) => putBack(name, object, descriptors));
}

function putBack(name: string, object: object, before: Descriptors): string[] {
  const changed: string[] = [];
  for (const key of Object.getOwnPropertyNames(object)) {
    const [old, now] = [before[key], Object.getOwnPropertyDescriptor(object, key)];
    if (isSame(old, now) || (object === globalThis && !(old && 'value' in old))) continue;
    changed.push(object === globalThis ? key : `${name}.${key}`);
    if (old) Object.defineProperty(object, key, old);
    else Reflect.deleteProperty(object, key);
  }
  return changed;
}

const isSame = (a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean =>
  Object.is(a?.value, b?.value) && a?.get === b?.get && a?.set === b?.set && (a === undefined) === (b === undefined);
