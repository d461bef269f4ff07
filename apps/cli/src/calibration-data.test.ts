import { describe, expect, it } from 'vitest';
import { calibrationData, parseColumns } from './calibration-data.ts';

describe('parseColumns', () => {
  it('reads names of fields, with any sign in them', () => {
    expect(parseColumns(['text=review', 'textPair=a=b c'])).toEqual({ text: 'review', textPair: 'a=b c' });
    expect(parseColumns([])).toEqual({});
  });

  it.each(['text', 'text=', '=review', 'words=review'])('refuses %s', (flag) => {
    expect(() => parseColumns([flag])).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  });
});

describe('calibrationData', () => {
  it('is nothing without data', () => {
    expect(calibrationData('model', {}, new AbortController().signal)).toBeUndefined();
  });

  it('opens nothing before it is asked', async () => {
    const open = calibrationData('no-model', { data: 'no-data.jsonl' }, new AbortController().signal);
    await expect(open?.('model', [])).rejects.toMatchObject({ code: 'E_IO' });
  });
});
