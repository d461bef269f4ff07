import type { BenchmarkReport, SearchTrial } from '@optimum/core';
import { formatNumber } from '../format.ts';
import { type Html, html } from '../html.ts';
import { acrossAxis, chart, label, type Plot, path, pixels, upAxis, whisker } from './chart.ts';
import { configurationText } from './configuration-text.ts';
import { estimateText } from './figures.ts';
import { extremesOf, intervalOf } from './measured-shapes.ts';
import { paretoFront, placeOf } from './pareto.ts';
import { type Scale, scaleOver } from './scale.ts';

export type Search = NonNullable<BenchmarkReport['search']>;

const width = 760;
const height = 440;
const plot: Plot = { left: 70, right: 740, top: 40, bottom: 390 };

/** Every trial by its latency and its throughput; numbers are those of the table, for the trials worth choosing. */
export function searchChart({ trials, best, objective }: Search): Html | undefined {
  if (trials.length === 0) return undefined;
  const front = paretoFront(trials);
  const chosen = placeOf(trials, best);
  const over = (estimates: (trial: SearchTrial) => SearchTrial['p50Ms'], start: number, end: number): Scale =>
    scaleOver(
      trials.flatMap((trial) => extremesOf(estimates(trial))),
      { start, end },
    );
  const x = over(({ p50Ms }) => p50Ms, plot.left, plot.right);
  const y = over(({ throughput }) => throughput, plot.bottom, plot.top);
  const drawn = trials.map((trial, index) => dot(trial, index, front.includes(trial), x, y));
  const [fast, most] = [front[0] ?? best, front.at(-1) ?? best];
  return chart({
    id: 'search',
    title: 'Settings that were tried: up is more throughput, left is less latency',
    description: `${trials.length} trials. Best for ${objective}: ${trialText(best)}. Least latency: ${trialText(fast)}. Most throughput: ${trialText(most)}.`,
    width,
    height,
    content: html`${acrossAxis(x, plot, `median latency, ${unitOf('ms', x)}`, formatNumber)}${upAxis(y, plot, unitOf('samples per second', y), formatNumber)}${frontLine(front, x, y)}${drawn}${chosen >= 0 && ring(trials[chosen] ?? best, x, y)}`,
  });
}

const unitOf = (unit: string, { kind }: Scale): string => (kind === 'logarithmic' ? `${unit}, logarithmic` : unit);

const trialText = ({ configuration, p50Ms, throughput }: SearchTrial): string =>
  `${configurationText(configuration)}: ${estimateText(p50Ms, 'ms')}, ${estimateText(throughput, 'samples per second')}`;

/** A step for each trial of the front: between two of them nothing better was found. */
function frontLine(front: readonly SearchTrial[], x: Scale, y: Scale): Html {
  const corners = front.map(({ p50Ms, throughput }, index) => {
    const [across, up] = [pixels(x.position(p50Ms.value)), pixels(y.position(throughput.value))];
    return index === 0 ? `M${across} ${up}` : `H${across}V${up}`;
  });
  return path('front', corners.join(''));
}

function dot(trial: SearchTrial, index: number, isOnFront: boolean, x: Scale, y: Scale): Html {
  const [across, up] = [x.position(trial.p50Ms.value), y.position(trial.throughput.value)];
  const [latency, throughput] = [intervalOf(trial.p50Ms), intervalOf(trial.throughput)];
  const spread = `${latency ? whisker('across', x.position(latency.low), x.position(latency.high), up) : ''}${throughput ? whisker('up', y.position(throughput.low), y.position(throughput.high), across) : ''}`;
  const outline = `M${pixels(across - 4.5)} ${pixels(up)}a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z`;
  return html`${path('whisker quiet', spread)}${path(isOnFront ? 'trial on-front' : 'trial', outline, `${index + 1}: ${trialText(trial)}`)}${isOnFront && label(across - 8, up - 9, index + 1, 'end', 'letter')}`;
}

function ring({ p50Ms, throughput }: SearchTrial, x: Scale, y: Scale): Html {
  const [across, up] = [x.position(p50Ms.value), y.position(throughput.value)];
  const isNearRight = across > plot.right - 60;
  return html`${path('ring', `M${pixels(across - 9)} ${pixels(up)}a9 9 0 1 0 18 0a9 9 0 1 0 -18 0z`)}${label(across + (isNearRight ? -14 : 14), up + 18, 'best', isNearRight ? 'end' : 'start', 'letter')}`;
}
