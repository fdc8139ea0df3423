import { type FileKind, kindOf, loadGatewaySettings, loadIssuerSettings } from '../config/index.ts';
import { ChartgateError } from '../contracts/errors.ts';
import type { Secret } from '../contracts/secret.ts';
import type { StateSettings } from '../contracts/state.ts';

/** The state that a process's settings name, for commands that work on it beside that process. */
export interface NamedState {
  readonly state: StateSettings;
  /** The first seals, all open. */
  readonly keys: readonly Secret[];
}

const LOADERS: Readonly<Partial<Record<FileKind, (file: string) => NamedState | undefined>>> = {
  gateway(file) {
    const { state, stateKeys } = loadGatewaySettings(file);
    return state === undefined || stateKeys === undefined ? undefined : { state, keys: stateKeys };
  },
  issuer(file) {
    const { state, stateKeys } = loadIssuerSettings(file);
    return { state, keys: stateKeys };
  },
};

/**
 * @param file settings of a process that keeps state
 * @throws ConfigurationError; ChartgateError `usage` for settings without any state
 */
export function stateNamedIn(file: string): NamedState {
  // Of a file that cannot be read, or tells nothing, loading says what is wrong.
  const load = LOADERS[kindOf(file) ?? 'gateway'];
  if (load === undefined) {
    throw new ChartgateError('usage', `${file}: is not the settings file of a process that keeps state`);
  }
  const named = load(file);
  if (named === undefined) throw new ChartgateError('usage', `${file}: these settings have no "state"`);
  return named;
}
