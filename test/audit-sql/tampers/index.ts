import { GUARDS } from './guards.ts';
import { PRIVILEGES } from './privileges.ts';
import { STRUCTURE } from './structure.ts';
import type { Tamper } from './tamper.ts';

/** What somebody with rights on the server may do to an audited EMR; each is undone before the next. */
export const TAMPERS: readonly Tamper[] = [...STRUCTURE, ...GUARDS, ...PRIVILEGES];
