import type { Finding, FindingCode } from './codes.ts';
import { type FactDifference, factDifferences } from './differences.ts';
import { KINDS, type Kind, nameOf, words } from './kinds.ts';
import { chartgateCommand, remedyOf, type Surroundings, surroundingsOf } from './remedy.ts';
import type { Baseline, HistoryFact, Snapshot } from './types.ts';

const LOG = 'audit_instatement_log';

/**
 * Everything in which `snapshot` differs from the approved one. Pure. Empty only if all is equal; a
 * snapshot in which nothing is visible therefore yields a finding for every trigger.
 */
export function compareSnapshot(baseline: Baseline, snapshot: Snapshot): readonly Finding[] {
  const expected = baseline.snapshot;
  const around = surroundingsOf(expected, snapshot);
  return [
    ...compareServer(expected, snapshot),
    ...compareInstatement(expected, snapshot, around),
    ...factDifferences(expected, snapshot).map((difference) => factFinding(difference, around)),
  ];
}

function finding(
  code: FindingCode,
  object: string,
  sentence: string,
  remedy: readonly string[] = [],
): Finding {
  return { code, object, sentence, remedy };
}

function factFinding(difference: FactDifference, around: Surroundings): Finding {
  const kind = KINDS[difference.list] as unknown as Kind<object>;
  const remedy = remedyOf(difference, around);
  switch (difference.change) {
    case 'missing':
      return finding(
        kind.missing,
        nameOf(difference.expected, kind),
        `The ${kind.noun} of the baseline is not there.`,
        remedy,
      );
    case 'added':
      return finding(
        kind.added,
        nameOf(difference.found, kind),
        difference.twice ? `The ${kind.noun} is listed twice.` : `The ${kind.noun} is not in the baseline.`,
        remedy,
      );
    case 'changed':
      return finding(
        (kind.fields as Readonly<Record<string, FindingCode>>)[difference.field] ?? kind.changed,
        nameOf(difference.expected, kind),
        `The ${kind.noun}'s ${words(difference.field)} is not the baseline's.`,
        remedy,
      );
  }
}

function compareServer(expected: Snapshot, snapshot: Snapshot): Finding[] {
  const findings: Finding[] = [];
  if (expected.emrSchema !== snapshot.emrSchema || expected.auditSchema !== snapshot.auditSchema) {
    findings.push(finding('schema-mismatch', snapshot.emrSchema, 'The baseline was taken of other schemas.'));
  }
  if (expected.engine !== snapshot.engine) {
    findings.push(
      finding(
        'engine-changed',
        snapshot.engine,
        'The database engine is not the one the baseline was taken of.',
      ),
    );
  }
  return findings;
}

function compareInstatement(expected: Snapshot, snapshot: Snapshot, around: Surroundings): Finding[] {
  const findings: Finding[] = [];
  const last = snapshot.instatement;
  if (last?.action !== 'start') {
    findings.push(
      finding(
        'audit-not-started',
        LOG,
        'The last entry of the instatement log does not say that auditing was started.',
        [chartgateCommand('start', around)],
      ),
    );
  }
  const there = new Map(snapshot.history.map((entry) => [entry.id, entry.digest]));
  const lacks = (entry: HistoryFact): boolean => !there.has(entry.id);
  const lastId = expected.instatement?.id ?? 0;
  if (last === undefined || last.id < lastId || expected.history.some(lacks)) {
    findings.push(
      finding(
        'audit-log-rewound',
        LOG,
        'The instatement log lacks entries that it had when the baseline was taken.',
      ),
    );
  }
  if (expected.history.some((entry) => !lacks(entry) && there.get(entry.id) !== entry.digest)) {
    findings.push(
      finding(
        'audit-log-rewritten',
        LOG,
        'Entries of the instatement log are not those of the baseline: they were changed, or the data are of another server.',
      ),
    );
  }
  if (last !== undefined && last.schemaDigest !== expected.instatement?.schemaDigest) {
    findings.push(
      finding('audit-schema-digest-changed', LOG, 'Auditing was last started for tables of another shape.', [
        chartgateCommand('baseline', around),
        chartgateCommand('approve', around),
      ]),
    );
  }
  return findings;
}
