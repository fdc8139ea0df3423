import { readFileSync } from 'node:fs';
import { parseDocument, stringify } from 'yaml';

/** What the embedded issuer and the gateway must agree about. */
export interface IssuerParts {
  /** `https://id.localhost:PORT`, at the gateway. */
  readonly url: string;
  readonly socket: string;
  readonly tenant: {
    readonly id: string;
    readonly name: string;
    readonly origin: string;
    readonly audience: string;
  };
}

/** Id of the issuer in the gateway's settings, and of the gateway at the issuer. */
const ISSUER = 'clinic';
const CLIENT = 'north-gateway';

const yaml = (value: unknown): string => stringify(value, { aliasDuplicateObjects: false });

/** The embedded issuer's configuration file, as an administrator would write it. */
export function issuerConfiguration({ url, socket, tenant }: IssuerParts): string {
  return `# Written by the demo at start. docs/configuration.md explains every key.
${yaml({
  issuer: url,
  issuerSocket: socket,
  gatewaySecret: { file: 'gateway.secret' },
  state: { file: 'state/state.sqlite', keys: [{ file: 'state.key' }] },
  brand: { name: tenant.name, colour: '#0b5c6b' },
  // Everybody in the demo comes from one address.
  lockout: { sourceFailures: 50 },
  tenants: [{ id: tenant.id, name: tenant.name, audience: tenant.audience, fhir: `${tenant.origin}/fhir` }],
  clients: [
    {
      id: CLIENT,
      name: tenant.name,
      kind: 'gateway',
      tenants: [tenant.id],
      redirectUris: [`${tenant.origin}/.chartgate/callback/${ISSUER}`],
      postLogoutRedirectUris: [`${tenant.origin}/.chartgate/signed-out`],
      secret: { file: 'client.secret' },
      scopes: ['emr/pages'],
    },
  ],
})}`;
}

/** The gateway's configuration with the issuer mounted, sessions kept, and a tenant whose pages people sign in for. */
export function withSignIn(
  usual: Readonly<Record<string, unknown>>,
  { url, socket, tenant }: IssuerParts,
): object {
  const tenants = usual.tenants as readonly { readonly id: string; readonly issuers: readonly string[] }[];
  const policies = usual.policies as Readonly<Record<string, string>>;
  return {
    ...usual,
    state: { file: 'state/state.sqlite', keys: [{ file: 'state.key' }] },
    issuers: [
      ...(usual.issuers as readonly object[]),
      {
        id: ISSUER,
        issuer: url,
        algorithms: ['ES256'],
        introspection: { clientId: CLIENT, clientSecret: { file: 'client.secret' } },
        relyingParty: { clientId: CLIENT, clientSecret: { file: 'client.secret' }, scopes: ['emr/pages'] },
        secondFactor: { by: 'issuer', acr: ['urn:chartgate:aal2', 'urn:chartgate:aal2-phishing-resistant'] },
        embedded: { socket, secret: { file: 'issuer.secret' } },
      },
    ],
    policies: { ...policies, people: 'people.yaml' },
    tenants: tenants.map((each) =>
      each.id === tenant.id
        ? {
            ...each,
            issuers: [...each.issuers, ISSUER],
            signIn: { issuers: [ISSUER] },
            brand: { name: tenant.name, colour: '#0b5c6b' },
            policy: 'people',
          }
        : each,
    ),
  };
}

/** Routes of the demo's policy that are the EMR's own pages. */
const PAGES: ReadonlySet<string> = new Set([
  'pages-home',
  'login-page',
  'login-submit',
  'logout',
  'pages',
  'page-record',
  'page-edit',
  'page-save',
]);

/** The demo's policy, comments and all, but the EMR's pages are for people who signed in, not for tokens. */
export function policyForPeople(file: string): string {
  const document = parseDocument(readFileSync(file, 'utf8'));
  const { routes } = document.toJS() as { routes: readonly { readonly id: string }[] };
  for (const [at, { id }] of routes.entries()) {
    if (!PAGES.has(id)) continue;
    document.setIn(['routes', at, 'credential'], 'session');
    // There is no token to introspect.
    document.deleteIn(['routes', at, 'introspection']);
    // Whoever changes something proved a second factor in the last ten minutes.
    if (id === 'page-edit' || id === 'page-save') document.setIn(['routes', at, 'factorMaxAge'], '10m');
  }
  return document.toString({ lineWidth: 0 });
}
