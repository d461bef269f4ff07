/** The stages of a run, in order. */
export type Stage = 'load' | 'plan' | 'calibrate' | 'quantize' | 'write' | 'verify' | 'publish';

/** What a run tells while it goes on; renderers plug in here. */
export type ProgressEvent =
  | { readonly type: 'stage'; readonly stage: Stage; readonly session: string }
  | {
      readonly type: 'progress';
      readonly stage: Stage;
      readonly session: string;
      readonly done: number;
      readonly total: number;
      /** Estimate of the time left, where there is one. */
      readonly remainingMs?: number;
    }
  | { readonly type: 'note'; readonly message: string };

export type ProgressListener = (event: ProgressEvent) => void;
