export * from './audio/index.ts';
export type { Feeds } from './features/feeds.ts';
export * from './images/index.ts';
export { type DataOptions, type DataSample, type DataSet, openData, readFeeds, type SessionData } from './open-data.ts';
export type { Columns } from './rows/row.ts';
export { readSessionInputs, type SessionInput, type SessionInputs } from './session-inputs.ts';
