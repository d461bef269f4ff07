export { type BackendCase, BackendCaseError, type CaseResult, type Skip } from './backend-case.ts';
export { backendCases } from './backend-cases.ts';
export type { Proof } from './claim/proof.ts';
export type { Numbers, Subject } from './claim/subject.ts';
export type { EmulatedCpu, KitOptions } from './kit-options.ts';
export { runCase, runCases } from './run-cases.ts';
export { summary } from './summary.ts';
export { type TestFramework, testBackend } from './test-backend.ts';
