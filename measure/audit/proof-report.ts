import type { BeyondReason } from '../../audit-sql/coverage/binlog.ts';
import type { Floor, Json, Table } from '../report.ts';
import { rounded } from '../statistics.ts';
import type { Proof } from './plan.ts';
import type { Rebuild } from './rebuild.ts';
import { STATEMENT_KINDS } from './workload/kinds.ts';
import { SCENES } from './workload/scenes.ts';

export interface Proven {
  readonly proof: Proof;
  /** Undefined where the engine or the schema is not on this machine. */
  readonly found: Rebuild | undefined;
}

function beyond(found: Rebuild, reason: BeyondReason): number {
  return (found.log?.beyond ?? []).filter((b) => b.reason === reason).reduce((sum, b) => sum + b.rows, 0);
}

/** Never rounded up: 999 of 1,000 is not all. */
function percent(part: number, whole: number): number {
  return whole === 0 ? 100 : Math.floor((part / whole) * 1e6) / 1e4;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

const right = (title: string) => ({ title, align: 'right' }) as const;
const left = (title: string) => ({ title, align: 'left' }) as const;

export function reconstructionTable(proven: readonly Proven[]): Table {
  return {
    title: 'Reconstruction: every table rebuilt from a snapshot and the audit rows alone',
    columns: [
      left('server'),
      left('schema'),
      right('statements'),
      right('failed'),
      right('tables'),
      right('written to'),
      right('audit rows'),
      right('rows compared'),
      right('equal tables'),
      right('seconds'),
    ],
    rows: proven.flatMap(({ proof, found }) => {
      if (found === undefined) return [[proof.server.title, proof.schema, 'not here']];
      const { tally, seconds } = found.workload;
      return [
        [
          proof.server.title,
          proof.schema,
          count(tally.statements),
          count(tally.failed),
          count(found.tables),
          count(tally.tables.size),
          count(found.auditRows),
          count(found.rows),
          `${percent(found.equal, found.tables)} %`,
          (seconds + found.seconds).toFixed(0),
        ],
      ];
    }),
    footnotes: [
      'Three connections write at once, at REPEATABLE READ and SERIALIZABLE; one where MySQL’s cascades fire triggers, which passes over lock waits',
      '(docs/audit-sql.md). Equal: by the product’s replay, by real tables restored from it and compared',
      'by their bytes, and by a replay written apart from the product. Statements that failed count: the audit must not',
      'have recorded them, or, on tables without transactions, just the part that stayed.',
    ],
  };
}

export function coverageTable(proven: readonly Proven[]): Table {
  return {
    title: 'Coverage: the same statements in the row-based binary log',
    columns: [
      left('server'),
      left('schema'),
      right('row changes'),
      right('with audit row'),
      right('ratio'),
      right('cascades beyond'),
      right('nothing changed'),
      right('unexplained'),
    ],
    rows: proven.flatMap(({ proof, found }) => {
      if (found?.log === undefined) return [];
      const { rowChanges, audited } = found.log;
      return [
        [
          proof.server.title,
          proof.schema,
          count(rowChanges),
          count(audited),
          `${percent(audited, rowChanges)} %`,
          count(beyond(found, 'cascade')),
          count(beyond(found, 'nothing-changed')),
          count(beyond(found, 'unexplained')),
        ],
      ];
    }),
    footnotes: [
      'Matched by table, kind and key. Audit rows beyond the log: cascades, which InnoDB does below it (or which did',
      'not come about), and updates that set what was there.',
    ],
  };
}

/** How often each kind of statement and each scene came, over all proofs. */
export function kindsTable(proven: readonly Proven[]): Table {
  const sums = new Map<string, { done: number; failed: number }>();
  for (const { found } of proven) {
    for (const [kind, { done, failed }] of found?.workload.tally.kinds ?? []) {
      const sum = sums.get(kind) ?? { done: 0, failed: 0 };
      sums.set(kind, { done: sum.done + done, failed: sum.failed + failed });
    }
  }
  const names = [...STATEMENT_KINDS, ...SCENES.filter((scene) => scene !== 'by itself'), 'event'];
  return {
    title: 'Statements by kind, or by what was around them',
    columns: [left('kind'), right('done'), right('failed')],
    rows: names.map((name) => [name, count(sums.get(name)?.done ?? 0), count(sums.get(name)?.failed ?? 0)]),
    footnotes: [],
  };
}

export function proofFloors(proven: readonly Proven[], statements: number): Floor[] {
  return proven.flatMap(({ proof, found }): Floor[] => {
    if (!proof.promised) return [];
    const name = `${proof.server.title}, ${proof.schema}`;
    // An engine or a schema that is not on the machine is named and passed over.
    const optional = found === undefined;
    return [
      {
        name: `${name}: statements`,
        bound: 'at-least',
        limit: statements,
        unit: '',
        measured: found?.workload.tally.statements,
        optional,
      },
      {
        name: `${name}: tables rebuilt equal`,
        bound: 'at-least',
        limit: 100,
        unit: ' %',
        measured: found === undefined ? undefined : percent(found.equal, found.tables),
        optional,
      },
      {
        name: `${name}: tables written to`,
        bound: 'at-least',
        limit: 100,
        unit: ' %',
        measured: found === undefined ? undefined : percent(found.workload.tally.tables.size, found.tables),
        optional,
      },
      {
        name: `${name}: row changes of the binary log that have an audit row`,
        bound: 'at-least',
        limit: 100,
        unit: ' %',
        measured: found?.log === undefined ? undefined : percent(found.log.audited, found.log.rowChanges),
        optional,
      },
      {
        name: `${name}: audit rows without a row change and without a reason`,
        bound: 'at-most',
        limit: 0,
        unit: '',
        measured: found?.log === undefined ? undefined : beyond(found, 'unexplained'),
        optional,
      },
    ];
  });
}

/** What a reader should know beside the figures. No row of the workload is quoted. */
export function proofNotes(proven: readonly Proven[]): string[] {
  return proven.flatMap(({ proof, found }) => {
    const name = `${proof.server.title}, ${proof.schema}`;
    if (found === undefined) return [`${name}: not on this machine.`];
    const why = proof.promised
      ? []
      : [`${name}: nothing is promised: the server's own foreign keys leave cascades undone or half done.`];
    const tables = [...new Set(found.differences.map(({ table }) => table))];
    return [
      ...why,
      ...(found.contradictions > 0
        ? [
            `${name}: ${found.contradictions} audit rows do not fit what came before them (${tables.slice(0, 6).join(', ')}).`,
          ]
        : []),
      ...(found.void > 0
        ? [`${name}: ${found.void} rows of cascades that did not come about; readers leave them out.`]
        : []),
    ];
  });
}

export function proofFigures(proven: readonly Proven[]): Json {
  return proven.map(({ proof, found }) => ({
    server: proof.server.title,
    schema: proof.schema,
    here: found !== undefined,
    ...(found === undefined
      ? {}
      : {
          statements: found.workload.tally.statements,
          failed: found.workload.tally.failed,
          errors: Object.fromEntries(found.workload.tally.errors),
          kinds: Object.fromEntries(found.workload.tally.kinds),
          tables: found.tables,
          written: found.workload.tally.tables.size,
          auditRows: found.auditRows,
          void: found.void,
          rows: found.rows,
          equal: found.equal,
          contradictions: found.contradictions,
          workloadSeconds: rounded(found.workload.seconds, 1),
          rebuildSeconds: rounded(found.seconds, 1),
          log:
            found.log === undefined
              ? null
              : {
                  rowChanges: found.log.rowChanges,
                  audited: found.log.audited,
                  auditRows: found.log.auditRows,
                  byKey: found.log.tables.filter((t) => t.by === 'key').length,
                  byCount: found.log.tables.filter((t) => t.by === 'count').length,
                },
        }),
  }));
}
