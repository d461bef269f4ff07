import { type Capability, type CostTable, holdsOn } from '../backend/index.ts';
import { timeOf } from '../evaluate/index.ts';
import { costTableKey, costTableSubject, readCostTable } from './cost-table-file.ts';
import type { Preparation } from './prepare.ts';

/** Rows, K and N at which claims are compared: a sentence through a layer of BERT-base. */
const depth = 768;
const columns = 768;
const manyRows = 128;

/** Claims of a target, and what they are from. */
export interface RetargetClaims {
  readonly capabilities: readonly Capability[];
  /** Key of the cost table, where speeds were measured on this machine. */
  readonly costTable?: string;
}

/** The claims for the target, with the speeds that `optimum probe` measured where the target is this machine. */
export async function retargetClaims(preparation: Preparation, from: string | undefined): Promise<RetargetClaims> {
  const { backend, target, facts } = preparation;
  const capabilities = preparation.capabilities.filter((claim) => holdsOn(claim, target.features));
  const subject = target.isThisMachine ? await costTableSubject(backend.runtime, facts, from) : undefined;
  const { table } = subject ? readCostTable(subject) : {};
  if (!subject || !table) return { capabilities };
  return { capabilities: measuredClaims(capabilities, table), costTable: costTableKey(subject) };
}

/** The same claims with measured speeds, where the table has their kernels; and kernels that nobody claims, but that run. */
export function measuredClaims(capabilities: readonly Capability[], table: CostTable): Capability[] {
  const measured = capabilities.map((claim) => {
    const speed = measuredSpeed(claim, table);
    return speed === undefined ? claim : { ...claim, speed, source: 'measured on this CPU by optimum probe' };
  });
  return [...measured, ...signedActivations(measured, table)];
}

function measuredSpeed(claim: Capability, table: CostTable): number | undefined {
  const kernels = kernelsOf(claim);
  const rows = Math.min(claim.rows?.most ?? manyRows, manyRows);
  const speeds = kernels.map((kernel) => speedOf(table, kernel, rows)).filter((speed) => speed !== undefined);
  return speeds.length > 0 ? Math.min(...speeds) : undefined;
}

function speedOf(table: CostTable, kernel: string, rows: number): number | undefined {
  const shape = { rows, depth, columns };
  const [float, integer] = [timeOf(table, 'matmul-float32', shape), timeOf(table, kernel, shape)];
  return float !== undefined && integer !== undefined ? float / integer : undefined;
}

/** Names in the cost table. What a claim for several sizes of blocks says must hold for each of them. */
function kernelsOf({ op, mode, activation, weight, blocks = [], accuracyLevel }: Capability): string[] {
  if (op !== 'MatMul' && op !== 'Gemm') return [];
  const bits = /^uint(\d)$/.exec(weight)?.[1];
  if (mode === 'weight-only')
    return bits ? blocks.map((block) => `matmul-${bits}bit-block${block}-level${accuracyLevel ?? 0}`) : [];
  if (activation !== 'uint8') return [];
  if (weight === 'uint8') return ['matmul-u8u8-dynamic'];
  return weight === 'int8' ? [`matmul-u8s8-${mode}`] : [];
}

/** Products of signed activations are claimed by nobody: what they are is measured all the same. */
function signedActivations(claims: readonly Capability[], table: CostTable): Capability[] {
  const speed = speedOf(table, 'matmul-s8s8-static', manyRows);
  if (speed === undefined) return [];
  return claims
    .filter(({ op, activation, weight }) => op !== 'Conv' && activation === 'uint8' && weight === 'int8')
    .map((claim) => ({
      ...claim,
      id: `${claim.id}-signed-activations`,
      activation: 'int8',
      speed,
      source: 'measured on this CPU by optimum probe',
    }));
}
