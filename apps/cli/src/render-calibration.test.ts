import type { Statistics, TensorObservation } from '@optimum/core';
import type { CalibrateFileReport } from '@optimum/core/node';
import { describe, expect, it } from 'vitest';
import { renderCalibration, renderMerged } from './render-calibration.ts';

const observation = (excluded: Partial<TensorObservation['excluded']> = {}): TensorObservation => ({
  runs: 1,
  elements: 4,
  min: 0,
  max: 1,
  minSum: '0',
  maxSum: '0',
  excluded: { nan: 0, infinite: 0, sentinel: 0, ...excluded },
});

const statistics = {
  model: 'a',
  requests: 'b',
  data: [{ hash: 'c', source: 'texts.jsonl', ranges: [[0, 9] as const] }],
  samples: 9,
  tensors: { hidden: observation(), mask: observation({ sentinel: 7, nan: 1 }) },
};

const report = (more: Partial<CalibrateFileReport['sessions'][0]> = {}): CalibrateFileReport => ({
  schemaVersion: 1,
  output: 'statistics.json',
  target: 'portable',
  recipe: 'static',
  method: { id: 'mse' },
  durationMs: 1250,
  sessions: [
    {
      name: 'model',
      samples: 9,
      resumedSamples: 0,
      madeUp: false,
      unobservable: [],
      setUpMs: 400,
      collectMs: 800,
      statistics,
      ...more,
    },
  ],
});

describe('renderCalibration', () => {
  it('says what was calibrated on how many samples, and what was kept out', () => {
    const text = renderCalibration(report());
    expect(text).toMatch(/target +portable, recipe static\n +method +mse/);
    expect(text).toMatch(/data +texts\.jsonl\n +samples +9\n +tensors +2\n +excluded +mask: 1 NaN, 7 mask values/);
    expect(text).toContain('written statistics.json  (1.3 s)');
  });

  it('says what was resumed, made up and not seen', () => {
    const unobservable = [{ tensor: 'inner', reason: 'it is inside the body of Loop' }];
    const text = renderCalibration(report({ resumedSamples: 4, madeUp: true, unobservable }));
    expect(text).toContain('9 (4 of an earlier run that was stopped)');
    expect(text).toContain('made-up inputs: ranges are a guess');
    expect(text).toMatch(/unseen +inner: it is inside the body of Loop/);
  });
});

describe('renderMerged', () => {
  it('says what adds up', () => {
    const merged: Statistics = { version: 1, sessions: { model: statistics } };
    expect(renderMerged(merged, 'both.json')).toMatch(
      /model +9 samples of texts\.jsonl, 2 tensors\n\nwritten both\.json/,
    );
  });
});
