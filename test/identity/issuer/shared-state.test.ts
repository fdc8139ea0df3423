import type mysql from 'mysql2/promise';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateDatabase } from '../../../examples/support/private-database.ts';
import { ENGINES, startServer } from '../../audit-sql/support.ts';
import { secretOf } from '../factors/support.ts';
import { AUDIENCE, type Clinic, GATEWAY_SECRET, openClinic, REDIRECT } from './support/clinic.ts';
import { enrol } from './support/sign-in.ts';
import { Visitor } from './support/visitor.ts';

const PASSWORD = 'state-password-of-a-test';

describe.each(ENGINES)('two issuers whose state is on a real %s', (engine) => {
  let server: PrivateDatabase;
  let administrator: mysql.Connection;
  let clinic: Clinic;

  beforeAll(async () => {
    server = await startServer('identity-issuer', engine, []);
    administrator = await server.connect();
    await administrator.query('CREATE DATABASE issuer CHARACTER SET utf8mb4');
    for (const host of ['localhost', '127.0.0.1']) {
      await administrator.query(`CREATE USER 'issuer'@'${host}' IDENTIFIED BY '${PASSWORD}'`);
      await administrator.query(
        `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON issuer.* TO 'issuer'@'${host}'`,
      );
    }
    clinic = await openClinic({
      state: {
        kind: 'mysql',
        host: undefined,
        port: undefined,
        socketPath: server.socket,
        database: 'issuer',
        user: 'issuer',
        password: secretOf(Buffer.from(PASSWORD)),
        authority: undefined,
      },
    });
    await clinic.another();
  }, 180_000);
  afterAll(async () => {
    await clinic?.close();
    await administrator?.end();
    await server?.stop();
  });

  it('work as one: each page, code, token and refusal by whichever is asked', async () => {
    const gateway = await client.discovery(
      new URL(clinic.settings.issuer),
      'gateway',
      undefined,
      client.ClientSecretBasic(GATEWAY_SECRET),
      {
        [client.customFetch]: clinic.fetch as unknown as client.CustomFetch,
      },
    );
    const login = await clinic.newcomer();
    const verifier = client.randomPKCECodeVerifier();
    const url = await client.buildAuthorizationUrlWithPAR(gateway, {
      redirect_uri: REDIRECT,
      scope: 'openid portal online_access',
      resource: AUDIENCE,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const visitor = new Visitor(clinic.fetch, clinic.settings.issuer);
    await visitor.go(url.href);
    await enrol(visitor, login, { key: '', step: 0 });
    const { left } = visitor;
    if (left === undefined) throw new Error(visitor.page.html);
    const redeem = () =>
      client.authorizationCodeGrant(
        gateway,
        new URL(left),
        { pkceCodeVerifier: verifier },
        { resource: AUDIENCE },
      );
    const tokens = await redeem();
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await client.tokenIntrospection(gateway, tokens.access_token)).toMatchObject({ active: true });
    }
    const refreshed = await Promise.allSettled(
      Array.from({ length: 6 }, () =>
        client.refreshTokenGrant(gateway, String(tokens.refresh_token), { resource: AUDIENCE }),
      ),
    );
    expect(refreshed.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    await expect(redeem()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await client.tokenIntrospection(gateway, tokens.access_token)).toMatchObject({ active: false });
  });
});
