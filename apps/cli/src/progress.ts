import type { ProgressEvent, ProgressListener } from '@optimum/core';

const words = {
  load: 'reading',
  plan: 'planning',
  calibrate: 'calibrating',
  quantize: 'quantizing',
  write: 'quantizing and writing',
  verify: 'proving on the runtime',
  publish: 'publishing',
} as const;

/** Progress on standard error: one line that is redrawn on a terminal, nothing where it is not one. */
export function progressRenderer(isQuiet: boolean): { readonly onEvent: ProgressListener; end(): void } {
  const isShown = !isQuiet && process.stderr.isTTY === true;
  let last = '';
  const draw = (text: string): void => {
    if (!isShown || text === last) return;
    process.stderr.write(`\r\x1b[2K${text}`);
    last = text;
  };
  const onEvent = (event: ProgressEvent): void => {
    if (event.type === 'note') draw(event.message);
    else if (event.type === 'stage') draw(`${event.session}: ${words[event.stage]} …`);
    else draw(`${event.session}: ${words[event.stage]} ${percentOf(event)} %${timeLeft(event.remainingMs)}`);
  };
  return { onEvent, end: () => draw('') };
}

const percentOf = ({ done, total }: { readonly done: number; readonly total: number }): number =>
  Math.floor((100 * done) / Math.max(1, total));

/** Whole seconds; nothing when there is less than one. */
function timeLeft(remainingMs: number | undefined): string {
  const seconds = Math.round((remainingMs ?? 0) / 1000);
  return seconds > 0 ? `, ${seconds} s left` : '';
}
