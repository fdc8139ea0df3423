/** One statement of a script. */
export interface Statement {
  /** For progress and messages: what it does, in a few words. */
  readonly label: string;
  readonly sql: string;
  /** Contains `;` of its own, so the client needs another delimiter. */
  readonly compound?: boolean;
}

/** A heading with the statements under it. */
export interface Section {
  readonly comment: readonly string[];
  readonly statements: readonly Statement[];
}

export const SCRIPT_NAMES = ['start', 'stop', 'guard', 'protect'] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

/** A script in both its forms: for the program, and for a person and the `mysql`/`mariadb` client. */
export interface Script {
  readonly name: ScriptName;
  readonly statements: readonly Statement[];
  readonly text: string;
}

/**
 * Fixed for everything that is created: triggers and procedures keep the mode they were made under.
 * Strict, so that an audit row that does not fit is an error and never a shortened row. Without
 * NO_ZERO_DATE, so that an EMR's zero dates are recorded as they are.
 */
export const SQL_MODE = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION';

/** Statements that every script begins with, so that it means the same in any session. */
const PREAMBLE: Section = {
  comment: ['The same session settings whoever runs this: what is created keeps them.'],
  statements: [
    { label: 'session', sql: 'SET NAMES utf8mb4 COLLATE utf8mb4_bin' },
    // Where autocommit is off, the entry that auditing started would be rolled back with the end of the session.
    { label: 'session', sql: `SET SESSION sql_mode = '${SQL_MODE}', SESSION autocommit = 1` },
  ],
};

const DELIMITER = '$$';

function sectionText(section: Section): string {
  const lines: string[] = section.comment.map((line) => (line === '' ? '--' : `-- ${line}`));
  for (const statement of section.statements) {
    if (statement.compound === true) {
      lines.push(`DELIMITER ${DELIMITER}`, `${statement.sql}${DELIMITER}`, 'DELIMITER ;');
    } else {
      lines.push(`${statement.sql};`);
    }
  }
  return lines.join('\n');
}

/** Puts a script together. The text holds no time and no machine: the same input gives the same bytes. */
export function makeScript(name: ScriptName, title: readonly string[], sections: readonly Section[]): Script {
  const all = [PREAMBLE, ...sections.filter((s) => s.statements.length > 0)];
  const header = title.map((line) => (line === '' ? '--' : `-- ${line}`)).join('\n');
  return Object.freeze({
    name,
    statements: Object.freeze(all.flatMap((s) => s.statements)),
    text: `${header}\n\n${all.map(sectionText).join('\n\n')}\n`,
  });
}
