import { describe, expect, it } from 'vitest';
import { ask } from '../../../examples/support/https-client.ts';
import { rewriteUrl } from '../../../gateway/answer/rewrite.ts';
import { returnAddress } from '../../../gateway/own-pages/paths.ts';
import { type Guarded, statuses } from './gateway.ts';

/** Paths, hosts and redirects of which the policy would see one and the EMR another. */
export function describePaths(gateway: () => Guarded): void {
  describe('a path that is not what it seems', () => {
    it.each([
      ['GHSA-7rh7-c77v-6434 (oauth2-proxy)', '/fhir/Patient/1?x=/static/emr.css', 401],
      ['GHSA-7rh7-c77v-6434', '/fhir/Patient/1?/static/', 401],
      ['CVE-2026-41059 (oauth2-proxy)', '/fhir/Patient/1#/static/emr.css', 400],
      ['CVE-2026-41059', '/fhir/Patient/1%23/static/emr.css', 400],
      ['CVE-2026-48020 (Traefik)', '/static/../fhir/Patient/1', 400],
      ['CVE-2026-48020', '/static/%2e%2e/fhir/Patient/1', 400],
      ['CVE-2026-48020', '/static/.%2e/fhir/Patient/1', 400],
      ['CVE-2026-48020', '/static/..;/fhir/Patient/1', 400],
      ['CVE-2021-29492 (Envoy)', '/static/%2e%2e%2ffhir%2fPatient%2f1', 400],
      ['CVE-2021-29492', '/static%2f..%2ffhir/Patient/1', 400],
      ['CVE-2021-29492', '/static/..%5cfhir%5cPatient%5c1', 400],
      ['CVE-2026-22031 (@fastify/middie)', '/%66hir/%50atient/1', 401],
      ['CVE-2026-22031', '/fhi%72/Patient/%31', 401],
      ['CVE-2026-22031, encoded twice', '/%2566hir/Patient/1', 400],
      ['CVE-2026-27587 (Caddy)', '/FHIR/Patient/1', 401],
      ['CVE-2026-27587', '/%46HIR/patient/1', 401],
    ])('%s: %s is not open to whoever has no token', async (_id, path, status) => {
      const g = gateway();
      expect(statuses(await g.raw(`GET ${path} HTTP/1.1\r\nHost: ${g.host}\r\n\r\n`))).toEqual([status]);
      expect(g.reached()).toEqual([]);
    });

    it('CVE-2026-22031: an encoded letter is that letter, for the policy and for the EMR', async () => {
      const g = gateway();
      expect((await g.send('/%66hir/Patient/%31', { token: g.reader })).status).toBe(200);
      expect(g.reached().map(({ target }) => target)).toEqual(['/fhir/Patient/1']);
      expect((await g.send('/%66hir/Observation/1', { token: g.reader })).status).toBe(403);
    });

    it('CVE-2026-27587: another case is another path, which no route has', async () => {
      const g = gateway();
      for (const path of ['/FHIR/Patient/1', '/fhir/PATIENT/1', '/Patients'])
        expect((await g.send(path, { token: g.desk })).status).toBe(404);
      expect(g.reached()).toEqual([]);
    });
  });

  describe('a host that is not what it seems', () => {
    it.each([
      ['CVE-2026-55602 (http-proxy-middleware)', (host: string) => `evil-${host}`],
      ['CVE-2026-55602', (host: string) => `x.${host}`],
      ['CVE-2026-55602', (host: string) => host.replace(':', '.evil.example:')],
      ['CVE-2026-55602', (host: string) => host.replace('north', 'orth')],
    ])('%s: a name that contains the tenant’s is another name', async (_id, spelt) => {
      const g = gateway();
      const answer = await g.raw(
        g.get('/fhir/Patient/1').replace(`Host: ${g.host}`, `Host: ${spelt(g.host)}`),
      );
      expect(statuses(answer)).toEqual([421]);
      expect(g.reached()).toEqual([]);
    });

    it('CVE-2026-2836 (Pingora): nothing that one tenant was answered is given to another', async () => {
      const g = gateway();
      const first = await g.send('/static/emr.css');
      const { origin } = g.stack.tenants.south;
      const second = await ask({ url: `${origin}/static/emr.css`, authority: g.stack.authority });
      expect([first.status, first.text]).toEqual([200, 'ok']);
      expect(second.status).toBe(200);
      expect(second.text).not.toBe('ok');
      expect(g.reached()).toHaveLength(1);
      await g.send('/static/emr.css');
      // Nothing is kept: each request is asked for anew.
      expect(g.reached()).toHaveLength(1);
    });
  });

  describe('a redirect', () => {
    it.each([
      ['CVE-2021-29651 (Pomerium)', 'https://evil.example/'],
      ['CVE-2021-29651', '//evil.example/'],
      ['CVE-2021-29651', '/\\evil.example/'],
      ['CVE-2021-29651', '/%5cevil.example/'],
      ['CVE-2021-29651', '\thttps://evil.example/'],
      ['CVE-2021-29651', 'javascript:alert(1)'],
      ['CVE-2026-3872 (Keycloak)', '/records/..;/../evil'],
      ['CVE-2026-3872', '/records/..;/evil'],
      ['CVE-2026-3872', '/records/%2e%2e;/evil'],
      ['CVE-2026-3872', '/records/..%3b/evil'],
    ])('%s: after signing in, %j leads to the first page and nowhere else', (_id, to) => {
      expect(returnAddress(to)).toBe('/');
    });

    it('CVE-2021-29651: the EMR’s own redirects never lead to its inner address', () => {
      expect(rewriteUrl('http://127.0.0.1:9001/x', 'http://127.0.0.1:9001', 'north.example')).toBe('/x');
    });
  });
}
