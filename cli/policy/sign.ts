import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { readSecretFile } from '../../audit-sql/connect.ts';
import { loadGatewaySettings } from '../../config/index.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import type { GatewaySettings } from '../../contracts/settings.ts';
import { bundleOf, compilePolicies, policyRules } from '../../gateway/process/runtime.ts';
import { bundleDigest, signBundle, verifyBundle } from '../../policies/index.ts';
import { EXIT } from '../output.ts';

export interface SignOptions {
  readonly privateKey: string;
  readonly out: string;
  readonly json?: true;
}

function load(file: string) {
  const settings: GatewaySettings = loadGatewaySettings(file, { policyRules });
  return { settings, bundle: bundleOf(settings, compilePolicies(settings)) };
}

/** `chartgate policy sign GATEWAY.yaml` */
export function runSign(file: string, options: SignOptions): void {
  const { bundle } = load(file);
  const key = readSecretFile(options.privateKey);
  const former = existsSync(options.out) ? readFileSync(options.out) : undefined;
  const bytes = signBundle(bundle, key, former);
  try {
    // Whole or not at all: a gateway may be reading it.
    const making = `${options.out}.${process.pid}`;
    writeFileSync(making, bytes, { mode: 0o644, flag: 'wx' });
    renameSync(making, options.out);
  } catch (error) {
    throw new ChartgateError('usage', `The file ${options.out} cannot be written.`, { cause: error });
  }
  const { signatures } = JSON.parse(bytes.toString()) as { readonly signatures: readonly unknown[] };
  const digest = bundleDigest(bundle);
  if (options.json === true) {
    console.log(
      JSON.stringify({ file: options.out, digest, policies: bundle.policies, signatures: signatures.length }),
    );
    return;
  }
  for (const { name, digest: each } of bundle.policies) console.log(`${name}  ${each}`);
  console.log(
    `${options.out}: ${signatures.length} signature${signatures.length === 1 ? '' : 's'} of ${digest}.`,
  );
}

/** `chartgate policy verify GATEWAY.yaml` */
export function runVerify(file: string, options: { readonly json?: true }): void {
  const { settings, bundle } = load(file);
  const approval = settings.policyApproval;
  if (approval === undefined)
    throw new ChartgateError('usage', 'These settings have no "policyApproval": policies need no signature.');
  const digest = bundleDigest(bundle);
  let signers: readonly string[] = [];
  let problem: string | undefined;
  try {
    signers = verifyBundle(bundle, approval);
  } catch (error) {
    if (!(error instanceof ChartgateError)) throw error;
    problem = error.message;
  }
  if (options.json === true) {
    console.log(
      JSON.stringify({ digest, approved: problem === undefined, signers, problem: problem ?? null }),
    );
  } else if (problem === undefined) {
    console.log(`${digest} is approved by ${signers.map((key) => `${key.slice(0, 16)}…`).join(', ')}.`);
  } else console.log(problem);
  if (problem !== undefined) process.exitCode = EXIT.finding;
}
