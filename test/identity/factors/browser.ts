import { createHash, X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import { createAuthority } from '../../../examples/support/local-authority.ts';

export type JsonOptions = Readonly<Record<string, unknown>>;

/** Our own page, over HTTPS, in a real Chromium with an authenticator that is made of software. */
export interface AuthenticatorPage {
  readonly origin: string;
  /** JSON of what `navigator.credentials.create` gives; rejects where the browser or authenticator refuses. */
  create(options: unknown): Promise<string>;
  get(options: unknown): Promise<string>;
  /** Another authenticator in place of the present one. */
  plug(options?: {
    readonly verifies?: boolean;
    readonly synced?: boolean;
    readonly resident?: boolean;
  }): Promise<void>;
  /** Whether the authenticator can verify its user from now on. */
  setVerifies(verifies: boolean): Promise<void>;
  /** Sets the counter of every key of the authenticator, as a copy of it would have it. */
  setCounter(count: number): Promise<void>;
  close(): Promise<void>;
}

const PAGE = '<!doctype html><html lang="en"><title>Passkeys</title><body>A page of a test.</body></html>';

async function listen(): Promise<{ server: Server; port: number; fingerprint: string }> {
  const authority = await createAuthority('Passkey test');
  const { certificatePem, keyPem } = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
  const server = createServer({ cert: certificatePem, key: keyPem }, (_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const key = new X509Certificate(certificatePem).publicKey.export({ type: 'spki', format: 'der' });
  const fingerprint = createHash('sha256').update(key).digest('base64');
  return { server, port: (server.address() as AddressInfo).port, fingerprint };
}

/** Runs in the page. */
async function ask(page: Page, how: 'create' | 'get', options: unknown): Promise<string> {
  return page.evaluate(
    async ([method, json]) => {
      const scope = globalThis as unknown as {
        PublicKeyCredential: Record<string, (json: unknown) => unknown>;
        navigator: { credentials: Record<string, (options: unknown) => Promise<{ toJSON(): unknown }>> };
      };
      const parse = method === 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON';
      const publicKey = scope.PublicKeyCredential[parse]?.(json);
      const credential = await scope.navigator.credentials[method]?.({ publicKey });
      return JSON.stringify(credential?.toJSON());
    },
    [how, options] as const,
  );
}

export async function openAuthenticatorPage(): Promise<AuthenticatorPage> {
  const { server, port, fingerprint } = await listen();
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      // A page whose certificate is only tolerated gets no passkeys; this one key is trusted.
      args: [`--ignore-certificate-errors-spki-list=${fingerprint}`, '--no-sandbox'],
    });
    const page = await browser.newPage();
    const origin = `https://localhost:${port}`;
    await page.goto(origin);
    const cdp: CDPSession = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    let authenticator: string | undefined;
    const opened = browser;
    return {
      origin,
      create: (options) => ask(page, 'create', options),
      get: (options) => ask(page, 'get', options),
      async plug({ verifies = true, synced = false, resident = true } = {}) {
        if (authenticator !== undefined)
          await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: authenticator });
        const added = await cdp.send('WebAuthn.addVirtualAuthenticator', {
          options: {
            protocol: 'ctap2',
            ctap2Version: 'ctap2_1',
            transport: 'internal',
            hasResidentKey: resident,
            hasUserVerification: true,
            isUserVerified: verifies,
            automaticPresenceSimulation: true,
            defaultBackupEligibility: synced,
            defaultBackupState: synced,
          },
        });
        authenticator = added.authenticatorId;
      },
      async setVerifies(verifies) {
        if (authenticator === undefined) throw new Error('no authenticator');
        await cdp.send('WebAuthn.setUserVerified', {
          authenticatorId: authenticator,
          isUserVerified: verifies,
        });
      },
      async setCounter(count) {
        if (authenticator === undefined) throw new Error('no authenticator');
        const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId: authenticator });
        for (const credential of credentials) {
          await cdp.send('WebAuthn.removeCredential', {
            authenticatorId: authenticator,
            credentialId: credential.credentialId,
          });
          await cdp.send('WebAuthn.addCredential', {
            authenticatorId: authenticator,
            credential: { ...credential, signCount: count },
          });
        }
      },
      async close() {
        await opened.close();
        server.close();
      },
    };
  } catch (error) {
    await browser?.close();
    server.close();
    throw error;
  }
}
