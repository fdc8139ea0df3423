import { setTimeout as sleep } from 'node:timers/promises';
import { emrCount } from '../../../examples/demo/evidence.ts';
import { served } from '../client.ts';
import type { Clinic } from '../clinic.ts';
import type { Tamper } from './tamper.ts';
import { Tampering } from './tampering.ts';

/** Writes that are tried while a tamper is in place. */
const TRIES = 3;
/** After an undo the next strict request should be served; a restarted server needs a moment. */
const RECOVERY_MS = 15_000;

export interface TamperFound {
  readonly tamper: Tamper;
  /** Every strict request after the tamper was refused. */
  readonly refused: boolean;
  /** Requests that reached the EMR after it. */
  readonly forwarded: number;
  /** What the checker says is wrong. */
  readonly findings: readonly string[];
  /** From the undo until a strict request was served again; undefined when it never was. */
  readonly recoveryMs: number | undefined;
  /** Why it could not be tried. */
  readonly failure: string;
}

/** Refused at once, nothing forwarded, and the checker says what is wrong. */
export function detected({ refused, forwarded, findings }: TamperFound): boolean {
  return refused && forwarded === 0 && findings.length > 0;
}

/** Tries one tamper after the other on a running clinic, each followed at once by strict requests. */
export async function runCatalogue(
  clinic: Clinic,
  tampers: readonly Tamper[],
  progress: (line: string) => void,
): Promise<readonly TamperFound[]> {
  const tampering = await Tampering.start(clinic);
  const found: TamperFound[] = [];
  try {
    if ((await untilServed(clinic)) === undefined)
      throw new Error('the clinic does not serve before any tamper');
    for (const tamper of tampers) {
      const result = await tryTamper(clinic, tampering, tamper);
      found.push(result);
      if (!detected(result)) progress(`NOT DETECTED: ${tamper.name}`);
      if (result.failure !== '') progress(`${tamper.name}: ${result.failure}`);
      if (result.recoveryMs === undefined) {
        progress(
          `${tamper.name}: no service after it was undone (${(await clinic.strict()).findings.join(' ')})`,
        );
        break;
      }
    }
    return found;
  } finally {
    await tampering.close();
  }
}

async function tryTamper(clinic: Clinic, tampering: Tampering, tamper: Tamper): Promise<TamperFound> {
  let failure = '';
  let refused = false;
  let forwarded = 0;
  let findings: readonly string[] = [];
  try {
    await tampering.run(tamper.apply);
    const before = await emrCount(clinic.tenant);
    refused = true;
    for (let n = 0; n < TRIES; n += 1) {
      const answer = await clinic.write(`tampered ${n}`);
      if (answer.status !== 503) refused = false;
    }
    forwarded = (await emrCount(clinic.tenant)) - before;
    findings = await findingsOf(clinic);
  } catch (error) {
    failure = `could not be tried: ${error instanceof Error ? error.message : String(error)}`;
  }
  try {
    await tampering.run(tamper.undo);
  } catch (error) {
    failure ||= `could not be undone: ${error instanceof Error ? error.message : String(error)}`;
  }
  return { tamper, refused, forwarded, findings, recoveryMs: await untilServed(clinic), failure };
}

/** A server that was just restarted is "not verified" at first; what is wrong with it shows once it is. */
async function findingsOf(clinic: Clinic): Promise<readonly string[]> {
  let verdict = await clinic.strict();
  for (let tries = 0; verdict.state === 'unverified' && tries < 20; tries += 1) {
    await sleep(100);
    verdict = await clinic.strict();
  }
  return verdict.state === 'intact' ? [] : verdict.findings;
}

async function untilServed(clinic: Clinic): Promise<number | undefined> {
  const since = performance.now();
  while (performance.now() - since < RECOVERY_MS) {
    if (served(await clinic.write('untampered'))) return performance.now() - since;
    await sleep(20);
  }
  return undefined;
}
