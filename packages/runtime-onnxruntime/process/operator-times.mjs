// Times of operators from the events that the runtime's profiler writes: a Chrome trace, in microseconds.

/** @typedef {{ cat: string, name: string, ts: number, dur: number, args: Record<string, any> }} TraceEvent */

const suffix = '_kernel_time';

/**
 * Mean and shortest time of each operator over the last `runs` runs of a trace, in order of execution. What the nodes
 * of an inner graph take (Loop, If, Scan) is theirs and not their operator's; a node that a loop runs several times
 * counts with its sum.
 * @param {readonly TraceEvent[]} events
 * @param {number} runs runs that count: those before them warm up
 */
export function operatorTimes(events, runs) {
  const windows = events.filter(({ name }) => name === 'model_run').sort(byStart);
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith(suffix)).sort(byStart);
  const perRun = windows.slice(-runs).map((window) => timesIn(window, kernels));
  const keys = new Set(perRun.flatMap((times) => [...times.keys()]));
  return [...keys].map((key) => summary(perRun.flatMap((times) => times.get(key) ?? [])));
}

const byStart = (a, b) => a.ts - b.ts || b.dur - a.dur;

const endOf = ({ ts, dur }) => ts + dur;

const holdsGraphs = ({ args }) => ['Loop', 'If', 'Scan'].includes(args.op_name);

const keyOf = ({ name, args }) => `${name}\n${args.op_name}\n${args.node_index}`;

/** Own time of each node in one run. */
function timesIn(window, kernels) {
  const times = new Map();
  /** Operators with inner graphs around the current event, innermost last. */
  const around = [];
  for (const event of kernels) {
    if (event.ts < window.ts || endOf(event) > endOf(window)) continue;
    while (around.length > 0 && endOf(around.at(-1)) < endOf(event)) around.pop();
    if (around.length > 0) ownTime(times, around.at(-1)).us -= event.dur;
    ownTime(times, event).us += event.dur;
    if (holdsGraphs(event)) around.push(event);
  }
  return times;
}

function ownTime(times, event) {
  const key = keyOf(event);
  const known = times.get(key) ?? { event, us: 0 };
  times.set(key, known);
  return known;
}

function summary(times) {
  const { name, args } = times[0].event;
  const microseconds = times.map(({ us }) => us);
  return {
    name: name.slice(0, -suffix.length),
    op: args.op_name,
    meanUs: microseconds.reduce((sum, us) => sum + us, 0) / times.length,
    shortestUs: Math.min(...microseconds),
    inputs: shapesOf(args.input_type_shape),
    outputs: shapesOf(args.output_type_shape),
  };
}

/** The profiler writes each shape under its element type. */
const shapesOf = (shapes) => (shapes ?? []).flatMap((shape) => Object.values(shape));
