import { randomBytes } from 'node:crypto';
import { ask } from '../support/https-client.ts';

/** A client of the demo's OpenID provider, as the demo makes it at start. */
export interface DemoClient {
  readonly id: string;
  readonly secret: string;
  readonly what: string;
  readonly scopes: readonly string[];
  readonly patient?: string;
  /** Audiences that it gets tokens for, besides the tenants' own. */
  readonly resources?: readonly string[];
  /** A resource server: may ask whether a token is good. */
  readonly introspection?: boolean;
}

/** The demo's clients, with what each may ask for. */
const CLIENTS: readonly Omit<DemoClient, 'secret'>[] = [
  {
    id: 'pharmacy',
    what: 'a partner system: reads and writes records',
    scopes: [
      'system/*.cruds',
      'system/Patient.r',
      'system/Patient.rs',
      'system/Patient.cruds',
      'system/Observation.rs',
      'system/Observation.cruds',
      'system/MedicationRequest.rs',
    ],
  },
  {
    id: 'patient-app',
    what: "one patient's app: patient 7, and nobody else",
    scopes: ['patient/Patient.r', 'patient/Observation.rs', 'patient/*.rs'],
    patient: '7',
  },
  {
    id: 'front-desk',
    what: "the EMR's own pages, documents and live feed",
    scopes: ['emr/pages', 'emr/documents', 'emr/feed', 'emr/metadata'],
  },
  { id: 'gateway', what: 'the gateway itself, to introspect tokens', scopes: [], introspection: true },
];

/** The clients with secrets made now: none is written down anywhere before the demo starts. */
export function makeClients(more: readonly Omit<DemoClient, 'secret'>[] = []): readonly DemoClient[] {
  return [...CLIENTS, ...more].map((client) => ({
    ...client,
    secret: randomBytes(24).toString('base64url'),
  }));
}

/** Asks the provider for an access token (RFC 6749 §4.4) for one audience (RFC 8707). */
export async function requestToken(options: {
  readonly issuer: string;
  readonly authority: string;
  readonly client: { readonly id: string; readonly secret: string };
  readonly audience: string;
  readonly scopes: readonly string[];
}): Promise<string> {
  const reply = await ask({
    url: `${options.issuer}/token`,
    authority: options.authority,
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${options.client.id}:${options.client.secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: options.scopes.join(' '),
      resource: options.audience,
    }).toString(),
  });
  if (reply.status !== 200) throw new Error(`the OpenID provider answered ${reply.status}: ${reply.text}`);
  return (JSON.parse(reply.text) as { access_token: string }).access_token;
}
