import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReadinessServer, type OperationsServer } from '../../telemetry/index.ts';

describe('the listener that balancers ask', () => {
  let ready: () => boolean = () => false;
  let server: OperationsServer;
  beforeAll(async () => {
    server = await createReadinessServer({ host: '127.0.0.1', port: 0 }, () => ({
      ready: ready(),
      reasons: ['integrity of north: broken'],
    }));
  });
  afterAll(() => server.close());

  function ask(path: string, method = 'GET'): Promise<{ status: number; body: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
    const outgoing = request(
      // A balancer elsewhere knows the machine by its own name.
      { host: '127.0.0.1', port: server.port, path, method, headers: { host: 'gateway-1.clinic.example' } },
      (incoming) => {
        let body = '';
        incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
        incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
      },
    );
    outgoing.once('error', reject);
    outgoing.end();
    return promise;
  }

  it('says that it is not, and not why', async () => {
    for (const path of ['/ready', '/', '/metrics'])
      expect(await ask(path)).toEqual({ status: 503, body: 'not ready\n' });
  });

  it('says that it is not where it cannot be told', async () => {
    ready = () => {
      throw new Error('unknown');
    };
    expect(await ask('/ready')).toEqual({ status: 503, body: 'not ready\n' });
  });

  it('says that it is, in whichever of the ways balancers ask', async () => {
    ready = () => true;
    expect(await ask('/ready')).toEqual({ status: 200, body: 'ready\n' });
    expect(await ask('/', 'OPTIONS')).toEqual({ status: 200, body: 'ready\n' });
    expect(await ask('/', 'HEAD')).toEqual({ status: 200, body: '' });
    expect((await ask('/ready', 'POST')).status).toBe(405);
  });
});
