import { join } from 'node:path';
import { ChainCheck, type ChainFault, type ChainObserver, type ChainWarning } from './chain-check.ts';
import { errorCode, listChains, unavailable } from './directory.ts';
import { type ChainHead, fileName, type ParsedLine } from './format.ts';
import { type Line, readLines } from './lines.ts';

/** A record that was noted down elsewhere, to which the chain is held. */
export interface ExpectedHead extends ChainHead {
  readonly chain: string;
}

export interface ChainReport {
  readonly chain: string;
  readonly files: number;
  readonly records: number;
  /** Undefined when the chain has no sound record. */
  readonly head: (ChainHead & { readonly time: string }) | undefined;
}

export interface VerifyReport {
  readonly intact: boolean;
  readonly records: number;
  readonly chains: readonly ChainReport[];
  /** The first thousand; `faultCount` counts all. */
  readonly faults: readonly ChainFault[];
  readonly faultCount: number;
  readonly warnings: readonly ChainWarning[];
  readonly warningCount: number;
}

export interface VerifyOptions {
  readonly expectHeads?: readonly ExpectedHead[];
}

const KEPT = 1000;

/**
 * Reads every chain in the directory from its first byte to its last, in constant memory, also while
 * it is being written, and says where a record was edited, removed, inserted or moved and which file
 * is missing or cut short.
 *
 * What it cannot see without help: a chain whose end was cut off, which looks like one that has not
 * come further yet, and a chain that was made anew as a whole by somebody who may write the files. So
 * keep the heads (chain, number, hash) of a report somewhere else and give them as `expectHeads` later.
 * @throws ChartgateError activity-log-unavailable when the directory or a file cannot be read, or when
 * there is no chain at all
 */
export async function verifyActivityLog(
  directory: string,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const findings = new Findings();
  const expected = options.expectHeads ?? [];
  const found = await listChains(directory);
  if (found.size === 0 && expected.length === 0) throw unavailable(directory, 'there is no chain in it');
  const chains: ChainReport[] = [];
  for (const [chain, files] of found) {
    const heads = expected.filter((head) => head.chain === chain);
    chains.push(await verifyChain(directory, chain, files, heads, findings));
  }
  for (const head of expected) {
    if (!found.has(head.chain)) findings.fault(headFault('head-missing', head, ''));
  }
  return {
    intact: findings.faultCount === 0,
    records: chains.reduce((sum, chain) => sum + chain.records, 0),
    chains,
    faults: findings.faults,
    faultCount: findings.faultCount,
    warnings: findings.warnings,
    warningCount: findings.warningCount,
  };
}

/** Keeps the first of each and counts the rest: a file of garbage must not fill the memory. */
class Findings implements ChainObserver {
  readonly faults: ChainFault[] = [];
  readonly warnings: ChainWarning[] = [];
  faultCount = 0;
  warningCount = 0;
  record?: (record: ParsedLine) => void;

  fault(fault: ChainFault): void {
    this.faultCount += 1;
    if (this.faults.length < KEPT) this.faults.push(fault);
  }

  warning(warning: ChainWarning): void {
    this.warningCount += 1;
    if (this.warnings.length < KEPT) this.warnings.push(warning);
  }
}

async function verifyChain(
  directory: string,
  chain: string,
  files: readonly number[],
  heads: readonly ExpectedHead[],
  findings: Findings,
): Promise<ChainReport> {
  const matched = new Set<ExpectedHead>();
  const different = new Set<ExpectedHead>();
  findings.record = (record) => {
    for (const head of heads) {
      if (record.seq === head.seq) (record.computed === head.hash ? matched : different).add(head);
    }
  };
  const check = new ChainCheck(chain, findings);
  const newest = files.at(-1);
  for (const file of files) {
    check.startFile(file);
    let lines = 0;
    let incomplete: Line | undefined;
    try {
      for await (const some of readLines(join(directory, fileName(chain, file)))) {
        for (const line of some) {
          if (line.complete) check.line(line);
          else incomplete = line;
        }
        lines += some.length;
      }
    } catch (error) {
      throw unavailable(join(directory, fileName(chain, file)), errorCode(error), error);
    }
    check.endFile(lines, incomplete, file === newest);
  }
  for (const head of heads) {
    if (matched.has(head)) continue;
    const code = different.has(head) ? 'head-different' : 'head-missing';
    findings.fault(headFault(code, head, fileName(chain, newest ?? 1)));
  }
  return { chain, files: files.length, records: check.records, head: check.head };
}

function headFault(code: 'head-missing' | 'head-different', head: ExpectedHead, file: string): ChainFault {
  const message =
    code === 'head-missing'
      ? `Record ${head.seq}, which was noted down elsewhere, is not in the chain: its end was cut off.`
      : `Record ${head.seq} is not the one that was noted down elsewhere: the chain was made anew.`;
  return { code, chain: head.chain, file, line: 0, seq: head.seq, message };
}
