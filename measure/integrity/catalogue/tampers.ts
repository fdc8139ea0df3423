import type { Engine } from '../clinic.ts';
import { PRIVILEGE_TAMPERS } from './privileges.ts';
import { SERVER_TAMPERS } from './server.ts';
import { TABLE_TAMPERS } from './tables.ts';
import type { Tamper } from './tamper.ts';
import { TRIGGER_TAMPERS } from './triggers.ts';

const TAMPERS: readonly Tamper[] = [
  ...TRIGGER_TAMPERS,
  ...TABLE_TAMPERS,
  ...PRIVILEGE_TAMPERS,
  ...SERVER_TAMPERS,
];

/** Those that an engine has; the samples of each kind when `short`. */
export function tampersFor(engine: Engine, short: boolean): readonly Tamper[] {
  return TAMPERS.filter((tamper) => (tamper.on ?? engine) === engine && (!short || tamper.sample === true));
}
