import { setTimeout as sleep } from 'node:timers/promises';
import { CompactEncrypt, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { ask } from '../../../examples/support/https-client.ts';
import type { Guarded } from './gateway.ts';

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function discovered(g: Guarded): Promise<{ jwks_uri: string; revocation_endpoint: string }> {
  const document = await ask({
    url: `${g.stack.issuerUrl}/.well-known/openid-configuration`,
    authority: g.stack.authority,
  });
  return JSON.parse(document.text);
}

/** Credentials that prove nothing. */
export function describeIdentity(gateway: () => Guarded): void {
  describe('a token that proves nothing', () => {
    function claims(g: Guarded): Record<string, unknown> {
      const payload = JSON.parse(Buffer.from(g.reader.split('.')[1] ?? '', 'base64url').toString());
      return { ...payload, scope: 'system/*.cruds' };
    }

    it('GHSA-pm7g-w2cf-q238, CVE-2026-29000 (pac4j): an unsigned token inside an encrypted one', async () => {
      const g = gateway();
      const { jwks_uri } = await discovered(g);
      const { keys } = JSON.parse((await ask({ url: jwks_uri, authority: g.stack.authority })).text) as {
        keys: { kty: string; alg?: string }[];
      };
      const inner = `${encoded({ alg: 'none', typ: 'at+jwt' })}.${encoded(claims(g))}.`;
      let tried = 0;
      for (const jwk of keys) {
        const { use: _use, key_ops: _ops, ...bare } = jwk as Record<string, unknown>;
        const algorithm = jwk.kty === 'EC' ? 'ECDH-ES' : 'RSA-OAEP-256';
        const key = await importJWK(
          { ...bare, alg: algorithm } as Parameters<typeof importJWK>[0],
          algorithm,
        );
        const jwe = await new CompactEncrypt(Buffer.from(inner))
          .setProtectedHeader({ alg: algorithm, enc: 'A256GCM', cty: 'JWT', typ: 'at+jwt' })
          .encrypt(key);
        tried += 1;
        for (const token of [jwe, inner, inner.slice(0, -1)])
          expect((await g.send('/fhir/Patient/1', { token })).status).toBe(401);
      }
      expect(tried).toBeGreaterThan(0);
      expect(g.reached()).toEqual([]);
    });

    it('the same, signed by a key that comes along with it', async () => {
      const g = gateway();
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      const token = await new SignJWT(claims(g))
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', jwk: await exportJWK(publicKey) })
        .sign(privateKey);
      expect((await g.send('/fhir/Patient/1', { token })).status).toBe(401);
      expect(g.reached()).toEqual([]);
    });

    it('CVE-2021-41230 (Pomerium): what the issuer says now counts, and what it said before for no longer than the settings allow', async () => {
      const g = gateway();
      const token = await g.stack.token({ tenant: 'north', scopes: ['system/Patient.cruds'] });
      const change = () =>
        g.send('/fhir/Patient/1', {
          method: 'PUT',
          token,
          headers: { 'content-type': 'application/fhir+json' },
          body: JSON.stringify({ resourceType: 'Patient', id: '1' }),
        });
      expect((await change()).status).toBe(200);
      g.reached();
      const client = g.stack.clients.find(({ id }) => id === 'pharmacy');
      if (client === undefined) throw new Error('no such client');
      const { revocation_endpoint } = await discovered(g);
      const revoked = await ask({
        url: revocation_endpoint,
        authority: g.stack.authority,
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`,
        },
        body: new URLSearchParams({ token }).toString(),
      });
      expect(revoked.status).toBe(200);
      await sleep(1100);
      expect((await change()).status).toBe(401);
      expect(g.reached()).toEqual([]);
    });
  });
}
