import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { bytes, type Script } from './hostile-emr.ts';

/** What the back end says, and the policy, of test/end-to-end/recognised.test.ts. */

/** Of a patient; in no answer, log or file. */
export const NAME = 'Zebulon';
const TRACE = `Uncaught PDOException: SQLSTATE[42S02]: ${NAME} in /var/www/emr/chart.php on line 12`;
export const GOOD = `<!doctype html><title>Chart</title><p>${'well. '.repeat(400)}</p>`;

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

/** A back end that knows HEAD and ranges: only what was asked for is sent (RFC 9110 §9.3.2, §14.2). */
const asAsked =
  (content: string): Script =>
  ({ method, head, socket }) => {
    const [, from, to] = /\r\nrange: bytes=(\d+)-(\d+)/i.exec(head) ?? [];
    const part = from === undefined ? content : content.slice(Number(from), Number(to) + 1);
    const range = from === undefined ? '' : `Content-Range: bytes ${from}-${to}/${content.length}\r\n`;
    const lines = `ETag: "7"\r\nContent-Type: text/html\r\n${range}Content-Length: ${part.length}\r\n\r\n`;
    const status = from === undefined ? '200 OK' : '206 Partial Content';
    socket.end(`HTTP/1.1 ${status}\r\n${lines}${method === 'HEAD' ? '' : part}`);
  };

const LONG = Buffer.from(`${GOOD}\n`.repeat(60));
const json = { 'Content-Type': 'application/json' };
export const SCRIPTS: Readonly<Record<string, Script>> = {
  good: page(GOOD),
  'good-gzip': page(gzipSync(GOOD), { 'Content-Encoding': 'gzip' }),
  'good-as-asked': asAsked(GOOD),
  'no-such-as-asked': asAsked(`${GOOD}<p>No such patient: ${NAME}</p>`),
  'trace-as-asked': asAsked(`${GOOD}<b>Fatal error</b>: ${TRACE}`),
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

const view = { methods: ['GET', 'HEAD'], scopes: ['emr/pages'], integrity: { mode: 'bounded' as const } };
export const POLICY = {
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
    { ...view, id: 'file', path: '/file/{id}', hide: 'record', hideDeadline: '60ms' },
    { ...view, id: 'stream', path: '/stream/{id}' },
    { ...view, id: 'plain', path: '/plain/{id}', answers: { except: ['sql-error', 'trace-php', 'path'] } },
  ],
};
