import {
  type BenchmarkPoint,
  type BenchmarkReport,
  type Estimate,
  formatBytes,
  formatMs,
  type OperatorTime,
  type SearchTrial,
  type ServingConfiguration,
  type ServingRecipe,
} from '@optimum/core';
import { colours } from './colours.ts';
import { table } from './table.ts';

/** What was measured as a person reads it. @param settings what a search found best */
export function renderBenchmark(report: BenchmarkReport, settings: ServingRecipe | undefined): string {
  const { cpu, runtime, busyBefore } = report;
  const head = [
    ['cpu', `${cpu.name} (class ${cpu.class}), ${formatCount(cpu.granted)} of ${cpu.cores} cores granted`],
    ['runtime', `${runtime.id} ${runtime.version}`],
    ...serving(report.points[0]?.configuration),
    ['before', `${percent(busyBefore)} of the machine busy`],
  ];
  const parts = [
    table(head),
    pointTable(report),
    ...report.points.flatMap(operatorTable),
    ...(report.search ? [searchTable(report.search)] : []),
    ...(settings ? [settingsText(settings)] : []),
    table(report.warnings.map((warning) => ['note', warning])),
  ];
  return `${parts.join('\n\n')}\n`;
}

const serving = (configuration: ServingConfiguration | undefined): string[][] =>
  configuration ? [['serving', configurationText(configuration)]] : [];

function configurationText({ threads, instances, cores, config, environment }: ServingConfiguration): string {
  const entries = Object.entries({ ...config, ...environment }).map(([name, value]) => `${name}=${value}`);
  const bound = cores ? [`cores ${cores.map((own) => own.join('+')).join(' / ')}`] : [];
  const processes = `${instances} ${instances === 1 ? 'process' : 'processes'}`;
  return [processes, `${threads} ${threads === 1 ? 'thread' : 'threads'}`, ...bound, ...entries].join(', ');
}

function pointTable({ points }: BenchmarkReport): string {
  const has = (key: 'joulesPerRun' | 'costPerMillion') => points.some(({ measurement }) => measurement[key]);
  const [hasEnergy, hasCost] = [has('joulesPerRun'), has('costPerMillion')];
  const header = [
    ...['shape', 'model', 'p50', 'p90', 'p99', 'speed-up', 'samples/s', 'load', 'memory'],
    ...(hasEnergy ? ['J/run'] : []),
    ...(hasCost ? ['cost of a million'] : []),
  ].map(colours.bold);
  const rows = points.map((point) => {
    const { measurement } = point;
    return [
      shapeText(point),
      point.model,
      formatSpread(measurement.latencyMs.p50, formatMs),
      formatMs(measurement.latencyMs.p90.value),
      formatMs(measurement.latencyMs.p99.value),
      speedupText(point),
      formatCount(measurement.throughput.value),
      formatMs(measurement.loadMs),
      formatBytes(measurement.residentBytes),
      ...(hasEnergy ? [measurement.joulesPerRun ? formatCount(measurement.joulesPerRun.value) : ''] : []),
      ...(hasCost ? [measurement.costPerMillion ? formatCount(measurement.costPerMillion.value) : ''] : []),
    ];
  });
  return table([header, ...rows]);
}

const shapeText = ({ batch, sequence }: Pick<BenchmarkPoint, 'batch' | 'sequence'>): string =>
  [batch, sequence].filter((size) => size !== undefined).join('×') || 'fixed';

function speedupText({ speedup }: BenchmarkPoint): string {
  if (!speedup) return '';
  const text = formatSpread(speedup, (ratio) => `${ratio.toFixed(2)}×`);
  if (speedup.verdict === 'same') return `${text} no difference`;
  return speedup.verdict === 'faster' ? colours.green(text) : colours.yellow(text);
}

/** `1.20 ms [1.18–1.22]`, with the interval in the same unit and without it. */
function formatSpread({ value, low, high }: Estimate, format: (value: number) => string): string {
  const bare = (bound: number): string => (Number.isFinite(bound) ? format(bound).replace(/ ?[^\d.]+$/, '') : '∞');
  const sameUnit = format(low).replace(/[\d.]/g, '') === format(high).replace(/[\d.]/g, '');
  return `${format(value)} [${sameUnit ? bare(low) : format(low)}–${sameUnit ? bare(high) : format(high)}]`;
}

/** Three digits that count. */
const formatCount = (value: number): string => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3))));

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;

function operatorTable(point: BenchmarkPoint): string[] {
  if (!point.operators || point.operators.length === 0) return [];
  const row = ({ op, name, meanUs, shortestUs, inputs }: OperatorTime): string[] => [
    `${meanUs.toFixed(0)} µs`,
    `${shortestUs.toFixed(0)} µs`,
    op,
    inputs.map((dims) => dims.join('×') || 'scalar').join(', '),
    name,
  ];
  const header = ['mean', 'shortest', 'operator', 'inputs', 'node'].map(colours.bold);
  return [`${colours.bold(`${point.model} ${shapeText(point)}`)}\n${table([header, ...point.operators.map(row)])}`];
}

function searchTable({ objective, model, trials, best }: NonNullable<BenchmarkReport['search']>): string {
  const header = ['', 'p50', 'p99', 'samples/s', 'memory', 'settings'].map(colours.bold);
  const row = (trial: SearchTrial): string[] => [
    trial === best ? '*' : '',
    formatMs(trial.p50Ms.value),
    formatMs(trial.p99Ms.value),
    formatCount(trial.throughput.value),
    formatBytes(trial.residentBytes),
    `${configurationText(trial.configuration)}${trial.batch === undefined ? '' : `, batch ${trial.batch}`}`,
  ];
  return `${colours.bold(`search for ${objective} of ${model}`)}\n${table([header, ...trials.map(row)])}`;
}

function settingsText({ onnxruntimeNode, environment, cores }: ServingRecipe): string {
  const rows = [
    ['onnxruntime-node', `InferenceSession.create(path, ${JSON.stringify(onnxruntimeNode)})`],
    ['transformers.js', `session_options: ${JSON.stringify(onnxruntimeNode)}`],
    ...Object.entries(environment).map(([name, value]) => ['environment', `${name}=${value}`]),
    ...(cores ?? []).map((own, instance) => [`process ${instance + 1}`, `taskset -c ${own.join(',')}`]),
  ];
  return `${colours.bold('best settings')}\n${table(rows)}`;
}
