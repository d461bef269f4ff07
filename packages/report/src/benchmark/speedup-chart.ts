import type { Html } from '../html.ts';
import { ratio } from './figures.ts';
import type { MeasuredShape } from './measured-shapes.ts';
import { ratioChart } from './row-chart.ts';
import type { Series } from './series.ts';

/** How many times as fast as the first model each other one is, by shape. Nothing where there is no other. */
export const speedupChart = (shapes: readonly MeasuredShape[], first: Series | undefined): Html | undefined =>
  ratioChart({
    id: 'speedup',
    title: `Speed-up against ${first?.letter ?? 'the first model'}`,
    axis: 'times as fast (equal ratios are equal distances); the stroke is the 95 % interval',
    shapes,
    estimate: ({ point }) => point.speedup,
    format: (value) => `${ratio(value)}×`,
    one: `← slower | as ${first?.letter ?? 'the first'} | faster →`,
  });
