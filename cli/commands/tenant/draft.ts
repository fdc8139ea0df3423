import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { parseDocument, stringify } from 'yaml';
import { ChartgateError } from '../../../contracts/errors.ts';
import type { TenantId } from '../../../contracts/identifiers.ts';
import type { GatewaySettings } from '../../../contracts/settings.ts';
import { tenantId } from './place.ts';

export interface DraftOptions {
  readonly file?: string;
  readonly host?: readonly string[];
  readonly audience?: string;
  readonly issuer?: readonly string[];
  readonly database?: string;
  readonly policy?: string;
  readonly backend?: readonly string[];
  readonly backendAuthority?: string;
  readonly identityHeader?: string;
}

/** A tenant's file before it is one. */
export interface Draft {
  readonly id: TenantId;
  readonly content: Uint8Array;
  /** As a person knows it, for faults. */
  readonly shown: string;
}

const REQUIRED = ['host', 'issuer', 'database', 'policy', 'backend'] as const;

/**
 * From a file, or options, or by asking at a terminal for what is left open.
 * @throws ChartgateError `usage`
 */
export async function draftOf(
  named: string | undefined,
  options: DraftOptions,
  settings: GatewaySettings,
): Promise<Draft> {
  if (options.file !== undefined) return fromFile(named, options.file);
  const missing = REQUIRED.filter((key) => options[key] === undefined);
  if (named !== undefined && missing.length === 0) return fromOptions(tenantId(named), options);
  if (process.stdin.isTTY !== true) {
    const flags = [...(named === undefined ? ['ID'] : []), ...missing.map((key) => `--${key}`)];
    throw new ChartgateError('usage', `Give --file, or also: ${flags.join(', ')}. At a terminal it asks.`);
  }
  return ask(named, options, settings);
}

function fromFile(named: string | undefined, file: string): Draft {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new ChartgateError('usage', `The file ${file} cannot be read.`, { cause: error });
  }
  const document = parseDocument(content.toString('utf8'), { logLevel: 'silent', prettyErrors: false });
  const written: unknown = document.errors.length > 0 ? undefined : document.get('id');
  // Without one that can be read, the faults of the file say what is wrong with it.
  const id = typeof written === 'string' ? written : (named ?? 'tenant');
  if (named !== undefined && id !== named)
    throw new ChartgateError('usage', `${file} is of the tenant "${id}", not "${named}".`);
  return { id: tenantId(id), content: new Uint8Array(content), shown: file };
}

function fromOptions(id: TenantId, options: DraftOptions): Draft {
  const { host = [], issuer, database, policy, backend = [], backendAuthority, identityHeader } = options;
  const written = {
    id,
    hosts: host,
    audience: options.audience ?? `https://${host[0] ?? ''}`,
    issuers: issuer,
    database,
    policy,
    ...(identityHeader === undefined ? {} : { identityHeader }),
    backends: backend.map((origin) => ({
      origin,
      ...(backendAuthority === undefined || !origin.startsWith('https:')
        ? {}
        : { authority: backendAuthority }),
    })),
  };
  const text = stringify(written, { aliasDuplicateObjects: false });
  return { id, content: new Uint8Array(Buffer.from(text)), shown: `${id}.yaml` };
}

async function ask(
  named: string | undefined,
  options: DraftOptions,
  settings: GatewaySettings,
): Promise<Draft> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  lines.once('SIGINT', () => process.exit(130));
  const one = async (what: string, fallback = ''): Promise<string> => {
    for (;;) {
      const said = (await lines.question(`${what}${fallback === '' ? '' : ` [${fallback}]`}: `)).trim();
      if (said !== '' || fallback !== '') return said === '' ? fallback : said;
    }
  };
  const several = async (what: string, fallback = '') =>
    (await one(`${what}, separated by spaces`, fallback)).split(/[\s,]+/).filter((each) => each !== '');
  const only = (names: readonly string[]) => (names.length === 1 ? (names[0] ?? '') : '');
  try {
    const id = tenantId(named ?? (await one('Id of the tenant (its name in logs)')));
    const host = options.host ?? (await several('Hosts it is reached at'));
    const issuers = settings.issuers.map((issuer) => issuer.id);
    const policies = [...settings.policies.keys()];
    const backend = options.backend ?? (await several('Origins of its EMR (https://emr.internal:8443)'));
    const secure = backend.some((origin) => origin.startsWith('https:'));
    const authority =
      options.backendAuthority ??
      (secure ? await one("File of the EMR's authority, PEM, or - for the system's", '-') : undefined);
    return fromOptions(id, {
      ...options,
      host,
      audience: options.audience ?? (await one('Audience of its tokens', `https://${host[0] ?? ''}`)),
      issuer: options.issuer ?? (await several(`Issuers it trusts (${issuers.join(', ')})`, only(issuers))),
      database: options.database ?? (await one("Id of its database in the checker's settings", id)),
      policy: options.policy ?? (await one(`Policy (${policies.join(', ')})`, only(policies))),
      backend,
      ...(authority === undefined || authority === '-' ? {} : { backendAuthority: authority }),
    });
  } finally {
    lines.close();
  }
}
