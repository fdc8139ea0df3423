import { CHUNK_SIZES, CODING_NAMES, CODINGS, HEADERS, LENGTHS, NAMES, TARGETS } from './pieces.ts';
import { Random } from './random.ts';

/** One attempt: bytes for a connection of its own, in pieces, and what was done to them. */
export interface Attempt {
  readonly seed: number;
  readonly what: readonly string[];
  readonly pieces: readonly Buffer[];
}

export interface Material {
  readonly host: string;
  /** May read and change patients, and nothing else. */
  readonly token: string;
}

interface Message {
  method: string;
  target: string;
  version: string;
  /** Lines of the head, without their ends. */
  fields: string[];
  body: string;
  lineEnd: string;
  headEnd: string;
}

type Mutation = readonly [
  name: string,
  apply: (message: Message, random: Random, material: Material) => void,
];

/** Never a route, never anybody's business: what reaches a back end with this in it was smuggled. */
export const CANARY = 'smuggled';

/** A whole request that must not reach anybody: no route has its path, and it says that it is somebody else. */
export function canary(material: Material): string {
  return `GET /${CANARY} HTTP/1.1\r\nHost: ${material.host}\r\nX-Forwarded-User: ${CANARY}\r\nX-Request-Id: ${CANARY}\r\n\r\n`;
}

const BODY = JSON.stringify({ resourceType: 'Patient', id: '1', active: true });
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

const TEMPLATES: readonly ((material: Material) => Message)[] = [
  (material) => message(material, 'GET', ['Accept: application/fhir+json'], ''),
  (material) =>
    message(material, 'PUT', ['Content-Type: application/fhir+json', `Content-Length: ${BODY.length}`], BODY),
  (material) =>
    message(
      material,
      'PUT',
      ['Content-Type: application/fhir+json', 'Transfer-Encoding: chunked'],
      chunked(BODY),
    ),
  // The whole of another request as its body: served as a body, or as nothing.
  (material) => {
    const inner = canary(material);
    return message(
      material,
      'PUT',
      ['Content-Type: application/fhir+json', `Content-Length: ${inner.length}`],
      inner,
    );
  },
];

function message(material: Material, method: string, fields: readonly string[], body: string): Message {
  return {
    method,
    target: '/fhir/Patient/1',
    version: 'HTTP/1.1',
    fields: [`Host: ${material.host}`, `Authorization: Bearer ${material.token}`, ...fields],
    body,
    lineEnd: '\r\n',
    headEnd: '\r\n',
  };
}

const add =
  (...lines: readonly string[]): Mutation[1] =>
  (message, random) =>
    void message.fields.splice(random.below(message.fields.length + 1), 0, random.pick(lines));

/** What may be done to a request, once or several times over. */
const MUTATIONS: readonly Mutation[] = [
  ['a coding', (m, r) => add(`${r.pick(CODING_NAMES)}: ${r.pick(CODINGS)}`)(m, r, NOBODY)],
  ['a length', (m, r) => add(`${r.pick(NAMES)}: ${r.pick(LENGTHS)}`)(m, r, NOBODY)],
  ['a length that counts the canary', (m, r, of) => add(`Content-Length: ${canary(of).length}`)(m, r, of)],
  [
    'no length',
    (m) => {
      m.fields = m.fields.filter((line) => !/^content-length/i.test(line));
    },
  ],
  ['a field', (m, r) => add(r.pick(HEADERS))(m, r, NOBODY)],
  [
    'two fields',
    (m, r) => {
      add(r.pick(HEADERS))(m, r, NOBODY);
      add(r.pick(HEADERS))(m, r, NOBODY);
    },
  ],
  ['a field twice', (m, r) => void m.fields.push(r.pick(m.fields))],
  ['another order', (m, r) => void m.fields.sort(() => r.next() - 0.5)],
  [
    'a target',
    (m, r) => {
      m.target = r.pick(TARGETS);
    },
  ],
  [
    'a method',
    (m, r) => {
      m.method = r.pick([
        'POST',
        'DELETE',
        'get',
        'GET ',
        ' GET',
        'GE\x00T',
        'CONNECT',
        'TRACE',
        'OPTIONS',
        'PATCH',
        'PRI',
        'HEAD',
        'GET\t',
        'G\rET',
        'X'.repeat(60),
      ]);
    },
  ],
  [
    'a version',
    (m, r) => {
      m.version = r.pick([
        'HTTP/1.0',
        'HTTP/0.9',
        'HTTP/1.2',
        'HTTP/2.0',
        'HTTP/1.10',
        'http/1.1',
        'HTTP/1.1 ',
        'HTTP/1.1\r',
        'HTTP/1.1\x00',
        '',
        'RTSP/1.1',
        'HTTP/11',
        ' HTTP/1.1',
        'ICE/1.0',
      ]);
    },
  ],
  [
    'bare line feeds',
    (m) => {
      m.lineEnd = '\n';
    },
  ],
  [
    'bare carriage returns',
    (m) => {
      m.lineEnd = '\r';
    },
  ],
  [
    'an odd end of the head',
    (m, r) => {
      m.headEnd = r.pick(['\n', '\r', '\r\r\n', ' \r\n', '\x00\r\n', '\r\n\r\n', '']);
    },
  ],
  [
    'a chunk size',
    (m, r) => {
      m.fields.push('Transfer-Encoding: chunked');
      m.body = `${r.pick(CHUNK_SIZES)}\r\nabcde\r\n0\r\n\r\n`;
    },
  ],
  [
    'an odd end of a chunk',
    (m, r) => {
      m.fields.push('Transfer-Encoding: chunked');
      m.body = `5\r\nabcde${r.pick(['\n', '\r', '', 'x\r\n', '\r\n\r\n'])}0\r\n\r\n`;
    },
  ],
  [
    'an odd last chunk',
    (m, r, of) => {
      m.fields.push('Transfer-Encoding: chunked');
      m.body = `5\r\nabcde\r\n${r.pick(['0\n\n', '0\r\n\n', '0\r\n', '0;x\r\n\r\n', '00\r\n\r\n', '0 \r\n\r\n', '-0\r\n\r\n'])}${canary(of)}`;
    },
  ],
  [
    'a trailer',
    (m, r) => {
      m.fields.push('Transfer-Encoding: chunked');
      m.body = `5\r\nabcde\r\n0\r\n${r.pick(['X-Forwarded-User: smuggled', 'Content-Length: 5', 'Transfer-Encoding: chunked', 'Host: smuggled', 'X: a\r\n b', 'X-Checksum: 1', 'Authorization: x'])}\r\n\r\n`;
    },
  ],
  [
    'a shorter body',
    (m, r) => {
      m.body = m.body.slice(0, r.below(m.body.length + 1));
    },
  ],
  [
    'a longer body',
    (m, r) => {
      m.body += 'x'.repeat(1 + r.below(20));
    },
  ],
  [
    'a byte changed',
    (m, r) => {
      const at = r.below(m.fields.length);
      const line = m.fields[at] ?? '';
      const place = r.below(line.length + 1);
      m.fields[at] = `${line.slice(0, place)}${String.fromCharCode(r.below(256))}${line.slice(place + 1)}`;
    },
  ],
  [
    'something before it',
    (m, r) => {
      m.method = `${r.pick(['\r\n', '\n', '\r', ' ', '\x00', '\r\n\r\n', 'X\r\n'])}${m.method}`;
    },
  ],
  [
    'a space',
    (m, r) => {
      m.target = r.pick([` ${m.target}`, `${m.target} `, `\t${m.target}`, `${m.target}\x0c`]);
    },
  ],
  [
    'an upgrade',
    (m, r) => void m.fields.push('Connection: Upgrade', `Upgrade: ${r.pick(['h2c', 'websocket', 'x'])}`),
  ],
];
const NOBODY: Material = Object.freeze({ host: '', token: '' });

/** The attempt of a seed: a request, changed up to three times, and a second one behind it that must get nowhere. */
export function attemptOf(seed: number, material: Material): Attempt {
  const random = new Random(seed);
  const made = random.pick(TEMPLATES)(material);
  const what: string[] = [];
  for (let times = 1 + random.below(2); times > 0; times -= 1) {
    const [name, apply] = random.pick(MUTATIONS);
    what.push(name);
    apply(made, random, material);
  }
  const head = [`${made.method} ${made.target} ${made.version}`, ...made.fields].join(made.lineEnd);
  const text = `${head}${made.lineEnd}${made.headEnd}${made.body}${random.chance(0.8) ? canary(material) : ''}`;
  const bytes = Buffer.from(text, 'latin1');
  return { seed, what, pieces: random.chance(0.25) ? cut(bytes, random) : [bytes] };
}

/** In pieces, which arrive each by itself. */
function cut(bytes: Buffer, random: Random): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let times = 1 + random.below(3); times > 0 && from < bytes.length; times -= 1) {
    const to = from + 1 + random.below(bytes.length - from);
    pieces.push(bytes.subarray(from, to));
    from = to;
  }
  if (from < bytes.length) pieces.push(bytes.subarray(from));
  return pieces;
}
