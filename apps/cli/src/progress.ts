import type { ProgressEvent, ProgressListener } from '@optimum/core';

const words = {
  load: 'reading',
  plan: 'planning',
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
    else draw(`${event.session}: ${words[event.stage]} ${Math.floor((100 * event.done) / Math.max(1, event.total))} %`);
  };
  return { onEvent, end: () => draw('') };
}
