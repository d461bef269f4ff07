export * from './merge-requests.ts';
export * from './requests-of.ts';
export * from './sample-ranges.ts';
export * from './tap-model.ts';
