import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { activityOf, withoutRequestId } from '../../examples/demo/evidence.ts';
import { writeSecret } from '../../examples/demo/layout.ts';
import type { Stack } from '../../examples/demo/stack.ts';
import { type Ask, ask, type Reply } from '../../examples/support/https-client.ts';
import { bytes, HostileEmr, type Script } from '../support/hostile-emr.ts';
import { stackFor } from '../support/stack.ts';

/** Answers whose status is good and whose meaning is not, and what staff sees of them afterwards. */

const run = promisify(execFile);
const NAME = 'Zebulon';
const TRACE = `Uncaught PDOException: SQLSTATE[42S02]: ${NAME} in /var/www/emr/chart.php on line 12`;
const GOOD = `<!doctype html><title>Chart</title><p>${'well. '.repeat(400)}</p>`;

function page(
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
  status = '200 OK',
): Script {
  const content = Buffer.from(body);
  const lines = Object.entries({ 'Content-Type': 'text/html; charset=utf-8', ...headers })
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status}\r\n${lines.join('')}Content-Length: ${content.length}\r\n\r\n`;
  return bytes(Buffer.concat([Buffer.from(head), content]));
}

/** In two pieces, the second a little later. */
const inPieces =
  (first: Buffer, second: Buffer, headers = ''): Script =>
  ({ socket }) => {
    const length = first.length + second.length;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n${headers}Content-Length: ${length}\r\n\r\n`);
    socket.write(first);
    setTimeout(() => socket.write(second), 60);
  };

const LONG = Buffer.from(`${GOOD}\n`.repeat(60));
const json = { 'Content-Type': 'application/json' };
const SCRIPTS: Readonly<Record<string, Script>> = {
  good: page(GOOD),
  'good-gzip': page(gzipSync(GOOD), { 'Content-Encoding': 'gzip' }),
  absent: page('<p>gone</p>', {}, '404 Not Found'),
  forbidden: page(
    `<p>${NAME} is restricted</p>`,
    { 'X-Secret': NAME, 'Set-Cookie': `sid=${NAME}` },
    '403 Forbidden',
  ),
  'no-such': page(`<p>No such patient: ${NAME}</p>`),
  'no-such-late': inPieces(Buffer.from(GOOD), Buffer.from(`<p>no SUCH patient: ${NAME}</p>`)),
  'no-such-gzip': page(gzipSync(`<p>No such patient: ${NAME}</p>`), { 'Content-Encoding': 'gzip' }),
  'no-such-br': page(brotliCompressSync(`${GOOD}<p>No such patient: ${NAME}</p>`), {
    'Content-Encoding': 'br',
  }),
  restricted: page(`<p>The chart of patient ${NAME} is restricted</p>`),
  'to-login': page('', { Location: '/login?expired=1' }, '302 Found'),
  'to-login-whole': page('', { Location: 'http://emr.internal/login?expired=1' }, '302 Found'),
  'to-chart': page('', { Location: '/chart/2' }, '302 Found'),
  'to-error': page('', { Location: '/error/17' }, '302 Found'),
  help: page(`<p>Please call the help desk about ${NAME}</p>`),
  trace: page(`${GOOD}<br /><b>Fatal error</b>: ${TRACE}`),
  'in-json': page(JSON.stringify({ ok: true, trace: TRACE }), json),
  'trace-outcome': page(
    JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ diagnostics: TRACE }] }),
    json,
  ),
  'trace-behind-resource': page(`{"resourceType":"Patient","id":"1"}\n${TRACE}`, json),
  'in-xml': page(`<e>${TRACE}</e>`, { 'Content-Type': 'application/xml' }),
  'trace-text': page(TRACE, { 'Content-Type': 'text/plain' }),
  'trace-untyped': page(TRACE, { 'Content-Type': '' }),
  'trace-image': page(TRACE, { 'Content-Type': 'image/png' }),
  'trace-script': page(`<pre>${TRACE}</pre>`, { 'Content-Type': 'application/javascript' }),
  'trace-deflate': page(deflateSync(TRACE), { 'Content-Encoding': 'deflate' }),
  'trace-strange': page(TRACE, { 'Content-Encoding': 'compress' }),
  'in-wide': page(Buffer.from(TRACE, 'utf16le'), { 'Content-Type': 'text/html; charset=utf-16le' }),
  'trace-late': inPieces(Buffer.from(GOOD), Buffer.from(TRACE)),
  'trace-far': inPieces(LONG, Buffer.from(`${GOOD}${TRACE}`)),
  'trace-far-gzip': (request) => {
    // Not compressible, so that it is longer than what is held.
    const noise = Buffer.from(Array.from({ length: 120_000 }, (_, i) => 97 + ((i * i * 7 + (i >> 3)) % 26)));
    const random = Buffer.from(
      noise.map((byte, i) => 97 + ((byte * 31 + (Math.imul(i, 2654435761) % 251) + 251) % 26)),
    );
    const packed = gzipSync(
      Buffer.concat([random, random.toReversed(), Buffer.from(`\n${TRACE}\n${GOOD}`)]),
      { level: 1 },
    );
    const cut = Math.floor(packed.length * 0.9);
    inPieces(packed.subarray(0, cut), packed.subarray(cut), 'Content-Encoding: gzip\r\n')(request);
  },
  'long-good': inPieces(LONG, Buffer.from(GOOD)),
  resource: page(JSON.stringify({ resourceType: 'Observation', id: 'o1', note: [{ text: TRACE }] }), json),
};

const view = { methods: ['GET'], scopes: ['emr/pages'], integrity: { mode: 'bounded' as const } };
const POLICY = {
  answers: { failed: [{ location: '/error/' }] },
  routes: [
    {
      ...view,
      id: 'chart',
      path: '/chart/{id}',
      hideDeadline: '120ms',
      answers: {
        hidden: [
          { bodyContains: 'No such patient' },
          { status: [200], bodyMatches: 'The chart of patient * is restricted' },
          { location: '/login?*expired=' },
        ],
        failed: [{ bodyContains: 'Please call the help desk' }],
      },
    },
    {
      ...view,
      id: 'page',
      path: '/page/{id}',
      answers: { failed: [{ bodyContains: 'Please call the help desk' }] },
    },
    {
      ...view,
      id: 'legacy',
      path: '/patients/{id}',
      hideDeadline: '300ms',
      answers: { hidden: [{ status: [200], bodyContains: '<p class="error">No such patient' }] },
    },
    { ...view, id: 'stream', path: '/stream/{id}' },
    { ...view, id: 'plain', path: '/plain/{id}', answers: { except: ['sql-error', 'trace-php', 'path'] } },
  ],
};

let stack: Stack;
let emr: HostileEmr;
let token: string;

beforeAll(async () => {
  emr = new HostileEmr(SCRIPTS);
  await emr.listen();
  stack = await stackFor('recognised', {
    workers: 1,
    backends: { north: `http://127.0.0.1:${emr.port}` },
    prepare: async ({ layout, isolation }) => {
      writeFileSync(
        join(layout.gateway, 'answers.yaml'),
        stringify(POLICY, { aliasDuplicateObjects: false }),
      );
      writeSecret(
        join(layout.gateway, 'incident.key'),
        'q7sVZ0dQ0r9n3mXj5yq1mU8cXh2u5l1Yt0m3kq9bT7E=',
        isolation.gateway,
      );
      return {
        adjust: (usual) => ({
          ...usual,
          policies: { answers: 'answers.yaml' },
          incidents: { directory: join(layout.gateway, 'incidents'), keys: [{ file: 'incident.key' }] },
          tenants: (usual.tenants as readonly object[]).map((tenant) => ({ ...tenant, policy: 'answers' })),
        }),
      };
    },
  });
  token = await stack.token({ tenant: 'north', client: 'front-desk', scopes: ['emr/pages'] });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await emr?.close();
});

const get = (path: string, script: string, more: Partial<Ask> = {}): Promise<Reply> =>
  ask({
    url: `${stack.tenants.north.origin}${path}`,
    authority: stack.authority,
    token,
    ...more,
    headers: { accept: 'text/html', 'x-script': script, ...more.headers },
  });

describe('a page that says "there is nothing" is an absent record', () => {
  it.each([
    'no-such',
    'no-such-late',
    'no-such-gzip',
    'no-such-br',
    'restricted',
    'to-login',
    'to-login-whole',
    'forbidden',
    'help',
    'trace',
    'trace-late',
  ])('%s', async (script) => {
    const begun = performance.now();
    const reply = await get('/chart/1', script);
    const took = performance.now() - begun;
    const absent = await get('/chart/1', 'absent');
    expect(withoutRequestId(reply)).toEqual(withoutRequestId(absent));
    expect(reply.status).toBe(404);
    expect(reply.text).not.toContain(NAME);
    expect(took).toBeGreaterThan(119);
  });

  it.each(['good', 'good-gzip', 'long-good', 'to-chart'])('%s passes', async (script) => {
    const reply = await get('/chart/1', script);
    expect(reply.status).toBe(script === 'to-chart' ? 302 : 200);
  });
});

describe('the pages of the legacy EMR itself', () => {
  it('say the same of a chart that is not there and of one that is restricted', async () => {
    const { south } = stack.tenants;
    const theirs = await stack.token({ tenant: 'south', client: 'front-desk', scopes: ['emr/pages'] });
    const page = (id: number): Promise<Reply> =>
      ask({
        url: `${south.origin}/patients/${id}`,
        authority: stack.authority,
        token: theirs,
        headers: { accept: 'text/html' },
      });
    const open = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].find((id) => !south.restricted.includes(id)) ?? 0;
    const [shown, absent, restricted] = await Promise.all([
      page(open),
      page(999_999),
      page(south.restricted[0] ?? 0),
    ]);
    expect(shown.status).toBe(200);
    expect(shown.text).toContain('<h2>Observations</h2>');
    expect(absent.status).toBe(404);
    expect(absent.text).not.toContain('No such patient');
    expect(withoutRequestId(absent)).toBe(withoutRequestId(restricted));
  });
});

describe('an error of the EMR never passes', () => {
  it.each([
    'trace',
    'in-json',
    'trace-outcome',
    'trace-behind-resource',
    'in-xml',
    'trace-text',
    'trace-untyped',
    'trace-image',
    'trace-script',
    'trace-deflate',
    'trace-strange',
    'in-wide',
    'trace-late',
    'help',
  ])('%s', async (script) => {
    const reply = await get('/page/1', script);
    expect(reply.status).toBe(502);
    expect(`${reply.rawHeaders} ${reply.text}`).not.toMatch(/Zebulon|SQLSTATE|PDO|var.www|help desk/);
    const entries = await activityOf(stack, String(reply.headers['x-request-id']));
    expect(entries.find(({ kind }) => kind === 'outcome')).toMatchObject({
      reason: expect.stringMatching(/^answer-(?:error|recognised|unjudged)$/),
      backendStatus: 200,
      status: 502,
    });
    expect(JSON.stringify(entries)).not.toContain(NAME);
  });

  it.each(['trace-far', 'trace-far-gzip'])(
    '%s: beyond what is held, the answer is cut before it',
    async (script) => {
      const cut = await get('/stream/1', script).then(
        () => 'whole',
        (error: NodeJS.ErrnoException) => error.code,
      );
      expect(cut).toBe('ECONNRESET');
    },
  );

  it.each(['good', 'good-gzip', 'long-good', 'resource'])('%s passes as it is', async (script) => {
    const reply = await get('/page/1', script);
    expect(reply.status).toBe(200);
    expect(Number(reply.headers['content-length'])).toBe(reply.body.length);
  });

  it('what the policy says is no error here passes', async () => {
    expect((await get('/plain/1', 'trace-text')).status).toBe(200);
    expect((await get('/plain/1', 'to-error')).status).toBe(502);
    expect((await get('/page/1', 'to-error')).status).toBe(502);
  });
});

describe('staff sees what was kept', () => {
  const chartgate = async (...args: readonly string[]) => {
    const command = [join(import.meta.dirname, '../../bin/chartgate.mjs'), 'incident', ...args];
    const config = ['--config', join(stack.layout.gateway, 'gateway.yaml')];
    return run(process.execPath, [...command, ...config], stack.isolation.gateway ?? {}).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  };
  const folder = () => join(stack.layout.gateway, 'incidents');
  const kept = () => readdirSync(folder()).map((file) => readFileSync(join(folder(), file)));

  it('the original by the number that the client has, and the look is recorded', async () => {
    const reply = await get('/chart/1', 'forbidden');
    const id = String(reply.headers['x-request-id']);
    await expect.poll(() => kept().some((file) => file.includes(id)), { timeout: 5000 }).toBe(true);
    const shown = await chartgate('show', id, '--because', 'HD-17');
    expect(shown.stderr).toBe('');
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain(`<p>${NAME} is restricted</p>`);
    expect(shown.stdout).toContain(`x-secret: ${NAME}`);
    expect(shown.stdout).toContain('set-cookie: (left out)');
    expect(shown.stdout).toContain('GET /chart/1');
    expect(shown.stdout).toMatch(/client {3}404 .*\(backend-refused\)/);
    const looks = (await activityOf(stack, id)).filter(({ kind }) => kind === 'incident');
    expect(looks).toEqual([
      {
        kind: 'incident',
        event: 'shown',
        request: id,
        tenant: 'north',
        account: expect.any(String),
        because: 'HD-17',
      },
    ]);
  });

  it('pages that were recognised, and as JSON', async () => {
    const id = String((await get('/chart/1', 'no-such-late')).headers['x-request-id']);
    await expect.poll(() => kept().some((file) => file.includes(id)), { timeout: 5000 }).toBe(true);
    const shown = JSON.parse((await chartgate('show', id, '--because', 'HD-18', '--json')).stdout);
    expect(Buffer.from(shown.incident.body, 'base64').toString()).toBe(
      `${GOOD}<p>no SUCH patient: ${NAME}</p>`,
    );
    expect(shown.incident).toMatchObject({
      reason: 'answer-recognised',
      status: 404,
      backend: { status: 200, cut: false },
    });
    expect(shown.records.map(({ entry }: { entry: { kind: string } }) => entry.kind)).toEqual([
      'intent',
      'outcome',
    ]);
  });

  it('nothing of it lies open on the disk or in a log', async () => {
    await get('/chart/1', 'forbidden');
    const logs = [stack.layout.logs, stack.layout.activity].flatMap((directory) =>
      readdirSync(directory)
        .filter((file) => /\.(?:jsonl|log)$/.test(file))
        .map((file) => readFileSync(join(directory, file))),
    );
    for (const file of [...kept(), ...logs]) {
      expect(file.includes(NAME)).toBe(false);
      expect(file.includes('SQLSTATE')).toBe(false);
    }
  });

  it('the list opens none; what is not kept is not found, and who looked is recorded', async () => {
    const list = JSON.parse((await chartgate('list', '--json')).stdout);
    expect(list.length).toBeGreaterThan(2);
    expect(Object.keys(list[0]).sort()).toEqual(['bytes', 'request', 'time']);
    const missing = await chartgate('show', '0'.repeat(26), '--because', 'HD-19');
    expect(missing.code).toBe(1);
    expect(missing.stdout).toMatch(/No original is kept/);
    expect((await activityOf(stack, '0'.repeat(26)))[0]).toMatchObject({
      event: 'not-found',
      because: 'HD-19',
    });
    expect((await chartgate('show', '0'.repeat(26))).code).toBe(2);
    expect((await chartgate('show', '0'.repeat(26), '--because', 'Zebulon was rude')).code).toBe(2);
  });
});
