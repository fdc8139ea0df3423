import { basename } from 'node:path';
import { loadPolicyDocument, type PolicyRules } from '../../config/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { PolicySet } from '../../contracts/policy.ts';
import { compilePolicy, type Parts } from '../../policies/index.ts';

/** Stands in for `hiding.deadline` of the gateway, whose settings these commands do not read. */
const ANY_DEADLINE = { hideDeadlineMs: 1_000 };

const policyRules: PolicyRules = (document) => {
  const compiled = compilePolicy('policy', document, ANY_DEADLINE);
  return compiled.ok ? [] : compiled.faults;
};

export interface LoadedPolicy {
  readonly policy: PolicySet;
  readonly parts: Parts;
}

/** @throws ConfigurationError with every fault of the file */
export function loadPolicy(file: string): LoadedPolicy {
  const document = loadPolicyDocument(file, { policyRules });
  const compiled = compilePolicy(basename(file).replace(/\.ya?ml$/, ''), document, ANY_DEADLINE);
  if (!compiled.ok) throw new ChartgateError('internal', 'the policy compiled only once');
  return { policy: compiled.policy, parts: compiled.parts };
}

/** Columns as wide as their longest cell. */
export function printTable(rows: readonly (readonly string[])[], indent = ''): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    console.log(`${indent}${line.trimEnd()}`);
  }
}
