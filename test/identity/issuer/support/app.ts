import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { fetch as undiciFetch } from 'undici';
import { createAuthority } from '../../../../examples/support/local-authority.ts';

/** A SMART app in the browser with the real `fhirclient`, and beside it the FHIR base that it asks. */
export interface SmartApp {
  readonly origin: string;
  /** PEM. */
  readonly authority: string;
  readonly fhir: string;
  readonly redirectUri: string;
  readonly launchUri: string;
  /** Bearer tokens that reached the FHIR base. */
  readonly tokens: string[];
  /** Where the base's `smart-configuration` is had from. */
  issuer: { readonly url: string; readonly fetch: typeof undiciFetch } | undefined;
  close(): Promise<void>;
}

const library = (name: string) => readFileSync(new URL(`../../../../node_modules/${name}`, import.meta.url));

const page = (
  script: string,
) => `<!doctype html><html lang="en"><title>App</title><body><pre id="result"></pre>
<script src="/fhir-client.js"></script><script>
const show = (value) => { document.getElementById('result').textContent = JSON.stringify(value); };
${script}
</script></body></html>`;

const LAUNCH = page(`
const query = new URLSearchParams(location.search);
FHIR.oauth2.authorize({ clientId: 'growth-chart', redirectUri: '/app/', scope: query.get('scope'),
  ...(query.has('launch') ? {} : { iss: query.get('base') }), pkceMode: 'required' }).catch((error) => show({ error: String(error) }));
`);
const APP = page(`
FHIR.oauth2.ready().then(async (client) => {
  const patient = client.patient.id === null ? undefined : await client.patient.read();
  show({ state: client.state.tokenResponse, patientId: client.patient.id, user: client.user.fhirUser, patient });
}).catch((error) => show({ error: String(error) }));
`);

/** As SMART wanted it of a CapabilityStatement before there was `smart-configuration`; clients look at both. */
const oauthUris = (app: SmartApp) => ({
  url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
  extension: [
    { url: 'authorize', valueUri: `${app.issuer?.url}/authorize` },
    { url: 'token', valueUri: `${app.issuer?.url}/token` },
  ],
});

export async function openApp(): Promise<SmartApp> {
  const authority = await createAuthority('App test');
  const leaf = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
  const tokens: string[] = [];
  const server = createServer({ cert: leaf.certificatePem, key: leaf.keyPem }, async (request, response) => {
    const url = new URL(request.url ?? '/', app.origin);
    const html = (text: string) => response.setHeader('content-type', 'text/html; charset=utf-8').end(text);
    const json = (value: unknown) => {
      response.setHeader('access-control-allow-origin', '*');
      response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    };
    if (url.pathname === '/launch') return html(LAUNCH);
    if (url.pathname === '/app/') return html(APP);
    if (url.pathname === '/fhir-client.js') {
      return response
        .setHeader('content-type', 'text/javascript')
        .end(library('fhirclient/build/fhir-client.js'));
    }
    if (url.pathname === '/fhir/.well-known/smart-configuration') {
      const found = await app.issuer?.fetch(`${app.issuer.url}/.well-known/smart-configuration`);
      return json(await found?.json());
    }
    if (url.pathname === '/fhir/metadata')
      return json({
        resourceType: 'CapabilityStatement',
        fhirVersion: '4.0.1',
        rest: [{ mode: 'server', security: { extension: [oauthUris(app)] } }],
      });
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (token !== undefined) tokens.push(token);
    const [, id] = /^\/fhir\/Patient\/([\w-]+)$/.exec(url.pathname) ?? [];
    if (id !== undefined && token !== undefined) return json({ resourceType: 'Patient', id });
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
  const app: SmartApp = {
    origin,
    authority: authority.certificatePem,
    fhir: `${origin}/fhir`,
    redirectUri: `${origin}/app/`,
    launchUri: `${origin}/launch`,
    tokens,
    issuer: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return app;
}
