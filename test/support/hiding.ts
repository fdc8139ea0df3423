import { bytes, type Script } from './hostile-emr.ts';

/** What the back end says, the policy, and the ways to ask, of test/end-to-end/hiding.test.ts. */

export const DEADLINE_MS = 60;
const PAGE = 'java.sql.SQLException at org.emr.PatientDao.load(PatientDao.java:42) /opt/emr 10.1.2.3';
const body = (text: string, status: string, headers = ''): Script =>
  bytes(
    `HTTP/1.1 ${status}\r\nContent-Type: text/html\r\n${headers}Content-Length: ${text.length}\r\n\r\n${text}`,
    'stay',
  );
export const RECORD = '{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"}}';
const found: Script = body(
  RECORD,
  '200 OK',
  'ETag: W/"7"\r\nLast-Modified: Sat, 21 Nov 2026 10:00:00 GMT\r\nAge: 9\r\n',
);
const byMethod =
  (scripts: Readonly<Record<string, Script>>): Script =>
  (request) =>
    (scripts[request.method] ?? scripts.other)?.(request);
/** Once the whole body is here; nothing follows on the connection. */
const afterBody =
  (then: Script): Script =>
  async (request) => {
    await request.bytes(Number(/\r\ncontent-length: (\d+)/i.exec(request.head)?.[1] ?? 0));
    then(request);
    setTimeout(() => request.socket.end(), 2 * DEADLINE_MS);
  };

/** What an EMR may say of a record that the caller does not get, each with the reason. */
export const CASES: Readonly<Record<string, Script>> = {
  absent: body(PAGE, '404 Not Found', 'Cache-Control: no-cache\r\n'),
  deleted: body('gone', '410 Gone', 'ETag: W/"3"\r\nLast-Modified: Sat, 21 Nov 2026 10:00:00 GMT\r\n'),
  'no-session': body('', '401 Unauthorized', 'WWW-Authenticate: Basic realm="emr"\r\nSet-Cookie: s=1\r\n'),
  forbidden: body(PAGE, '403 Forbidden', 'X-Reason: not your patient\r\n'),
  'not-allowed': body('', '405 Method Not Allowed', 'Allow: GET, PUT\r\n'),
  conflict: body('', '409 Conflict', 'Content-Location: /fhir/Observation/o1/_history/7\r\n'),
  'other-version': body('', '412 Precondition Failed', 'ETag: W/"7"\r\n'),
  'range-too-far': body('', '416 Range Not Satisfiable', 'Content-Range: bytes */812\r\n'),
  locked: body('', '423 Locked', 'Retry-After: 9\r\n'),
  slowed: body('', '429 Too Many Requests', 'RateLimit: "emr";r=0;t=9\r\nRetry-After: 9\r\n'),
  fails: body(PAGE, '500 Internal Server Error', 'Connection: close\r\n'),
  busy: body(PAGE, '503 Service Unavailable', 'Retry-After: 120\r\n'),
  unchanged: bytes('HTTP/1.1 304 Not Modified\r\nETag: W/"7"\r\n\r\n', 'stay'),
  moved: body('', '301 Moved Permanently', 'Location: /fhir/Observation/o2\r\nVary: Cookie\r\n'),
  'sent-to-login': body('', '302 Found', 'Location: /login?for=o1\r\n'),
  resets: ({ socket }) => socket.resetAndDestroy(),
  garbage: bytes('\x16\x03\x01\x02\x00nonsense\r\n'),
  late: (request) => void setTimeout(() => CASES.absent?.(request), DEADLINE_MS + 25),
};
/** Of which a test reads how much of the body arrived before the EMR spoke. */
const WITH_BODY = Object.fromEntries(
  Object.entries(CASES).map(([name, script]) => [`${name}-read`, afterBody(script)]),
);

/** Of the patient whose app asks. */
export const OWN = RECORD.replace('}}', '},"subject":{"reference":"Patient/7"}}');
const own: Script = bytes(
  `HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: ${OWN.length}\r\n\r\n${OWN}`,
  'stay',
);
/** A good head, and a body that never comes to its end. */
const broken =
  (framing: string, part: string): Script =>
  ({ socket }) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nETag: W/"7"\r\n${framing}\r\n\r\n`;
    socket.write(`${head}${part}`, () => setTimeout(() => socket.resetAndDestroy(), 5));
  };
/** Each with what it would be taken for by whoever looks at the head alone, or at what has come. */
const BROKEN: Readonly<Record<string, Script>> = {
  'after-head': broken(`Content-Length: ${OWN.length}`, ''),
  'in-record': broken(`Content-Length: ${OWN.length}`, OWN.slice(0, 40)),
  'before-last-byte': broken(`Content-Length: ${OWN.length + 1}`, OWN),
  'in-chunks': broken('Transfer-Encoding: chunked', `${OWN.length.toString(16)}\r\n${OWN}\r\n`),
};
export const BREAKS = Object.keys(BROKEN);

/** What an EMR may say of a change, and what a client that is given the record is told. */
export const REFUSALS = [
  [409, 'Conflict'],
  [412, 'Precondition Failed'],
  [422, 'Unprocessable Content'],
  [428, 'Precondition Required'],
] as const;
const REFUSED = Object.fromEntries(
  REFUSALS.flatMap(([status, reason]) => {
    const refusal = afterBody(body(PAGE, `${status} ${reason}`, 'ETag: W/"7"\r\nConnection: close\r\n'));
    return [
      [`refuses-${status}`, byMethod({ GET: found, other: refusal })],
      [`refuses-${status}-forbidden`, byMethod({ GET: CASES.forbidden as Script, other: refusal })],
    ];
  }),
);

const STALE = body('', '412 Precondition Failed', 'ETag: W/"7"\r\nConnection: close\r\n');

export const SCRIPTS: Readonly<Record<string, Script>> = {
  ...CASES,
  ...WITH_BODY,
  found,
  // As many do (FHIR R4 §3.1.0.7): what is not there has been deleted.
  'delete-always': byMethod({
    GET: CASES.absent as Script,
    other: bytes('HTTP/1.1 204 No Content\r\n\r\n', 'stay'),
  }),
  ...Object.fromEntries(
    Object.entries(BROKEN).map(([name, script]) => [
      `breaks-${name}`,
      byMethod({ GET: script, other: bytes('HTTP/1.1 204 No Content\r\n\r\n', 'stay') }),
    ]),
  ),
  ...REFUSED,
  'changes-own': byMethod({ GET: own, other: afterBody(own) }),
  'delete-found': byMethod({ GET: found, other: bytes('HTTP/1.1 204 No Content\r\n\r\n', 'stay') }),
  'stale-found': byMethod({ GET: found, other: afterBody(STALE) }),
  'stale-forbidden': byMethod({
    GET: CASES.forbidden as Script,
    other: afterBody(STALE),
  }),
  nothing: body('{"resourceType":"Bundle","type":"searchset","total":0}', '200 OK'),
  others: body(
    '{"resourceType":"Bundle","type":"searchset","total":1,"entry":[{"resource":{"resourceType":"Observation","id":"o2","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/8"}}}]}',
    '200 OK',
  ),
};

const fhir = (id: string, methods: string[], path: string, interaction: string, permission: string) => ({
  id,
  methods,
  path,
  smart: { contexts: ['system', 'patient'], resource: 'Observation', permission },
  fhir: { version: 'R4', interaction },
  introspection: 'never',
  hideDeadline: `${DEADLINE_MS}ms`,
  ...(methods.includes('GET') ? { integrity: { mode: 'bounded', maxAge: '1s' } } : {}),
  ...(methods.includes('PUT') || methods.includes('PATCH')
    ? { mediaTypes: ['application/fhir+json', 'application/json-patch+json'] }
    : {}),
});

export const POLICY = {
  routes: [
    fhir('read', ['GET', 'HEAD'], '/fhir/Observation/{id}', 'read', 'r'),
    fhir('vread', ['GET'], '/fhir/Observation/{id}/_history/{vid}', 'vread', 'r'),
    fhir('history', ['GET'], '/fhir/Observation/{id}/_history', 'history-instance', 'r'),
    fhir('search', ['GET'], '/fhir/Observation', 'search-type', 's'),
    fhir('update', ['PUT'], '/fhir/Observation/{id}', 'update', 'u'),
    fhir('patch', ['PATCH'], '/fhir/Observation/{id}', 'patch', 'u'),
    fhir('delete', ['DELETE'], '/fhir/Observation/{id}', 'delete', 'd'),
    {
      id: 'files',
      methods: ['GET', 'HEAD', 'OPTIONS', 'POST'],
      path: '/documents/{file}',
      smart: { contexts: ['system'], resource: 'Observation', permission: 'r' },
      hide: 'record',
      hideDeadline: `${DEADLINE_MS}ms`,
      introspection: 'never',
      mediaTypes: ['application/octet-stream'],
      maxBody: '1MiB',
    },
    // Rules that name records: what they hide must look like what is not there.
    {
      id: 'sealed',
      effect: 'deny',
      methods: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'],
      path: '/fhir/Observation/{id}',
      where: { id: ['sealed'] },
    },
    {
      id: 'unread',
      effect: 'deny',
      methods: ['GET', 'HEAD'],
      path: '/fhir/Observation/{id}',
      where: { id: ['unread'] },
    },
    {
      id: 'sealed-file',
      effect: 'deny',
      methods: ['GET', 'HEAD', 'OPTIONS', 'POST'],
      path: '/documents/{file}',
      where: { file: ['sealed'] },
    },
    {
      id: 'learning',
      methods: ['GET'],
      path: '/learning/{id}',
      smart: { contexts: ['system'], resource: 'Observation', permission: 'r' },
      hide: 'record',
      hideDeadline: 'learned',
    },
    {
      id: 'unhurried',
      methods: ['GET'],
      path: '/unhurried/{id}',
      smart: { contexts: ['system'], resource: 'Observation', permission: 'r' },
      hide: 'record',
      hideDeadline: '600ms',
    },
    {
      id: 'unhurried-sealed',
      effect: 'deny',
      methods: ['GET'],
      path: '/unhurried/{id}',
      where: { id: ['sealed'] },
    },
  ],
};

/** One way to ask for one record. */
export interface Way {
  readonly what: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Fields that tell something of a record, or of what the EMR thinks of it. */
export const TELLING =
  /^(?:etag|last-modified|(?:content-)?location|allow|age|vary|set-cookie|retry-after|ratelimit.*|www-authenticate|content-range|accept-ranges|link|warning):/im;

const JSON_BODY = { headers: { 'content-type': 'application/fhir+json' }, body: RECORD };
export const WAYS: readonly Way[] = [
  { what: 'a read', path: '/fhir/Observation/o1' },
  { what: 'a read of its head', path: '/fhir/Observation/o1', method: 'HEAD' },
  {
    what: 'a read unless it is of this tag',
    path: '/fhir/Observation/o1',
    headers: { 'if-none-match': 'W/"7"' },
  },
  { what: 'a read if it is of this tag', path: '/fhir/Observation/o1', headers: { 'if-match': 'W/"7"' } },
  {
    what: 'a read if modified since',
    path: '/fhir/Observation/o1',
    headers: { 'if-modified-since': 'Sat, 21 Nov 2026 12:00:00 GMT' },
  },
  { what: 'a part of a file', path: '/documents/o1', headers: { range: 'bytes=0-9' } },
  {
    what: 'a part of a file of this tag',
    path: '/documents/o1',
    headers: { range: 'bytes=0-9', 'if-range': '"7"' },
  },
  { what: 'an old version', path: '/fhir/Observation/o1/_history/2' },
  { what: 'the history', path: '/fhir/Observation/o1/_history' },
  { what: 'a page', path: '/fhir/Observation/o1', headers: { accept: 'text/html' } },
  { what: 'XML', path: '/fhir/Observation/o1', headers: { accept: 'application/fhir+xml' } },
  { what: 'a change', path: '/fhir/Observation/o1', method: 'PUT', ...JSON_BODY },
  {
    what: 'a change of one version',
    path: '/fhir/Observation/o1',
    method: 'PUT',
    body: RECORD,
    headers: { 'content-type': 'application/fhir+json', 'if-match': 'W/"7"' },
  },
  {
    what: 'a patch',
    path: '/fhir/Observation/o1',
    method: 'PATCH',
    body: '[{"op":"replace","path":"/status","value":"final"}]',
    headers: { 'content-type': 'application/json-patch+json' },
  },
  { what: 'a deletion', path: '/fhir/Observation/o1', method: 'DELETE' },
];
