import { isDeepStrictEqual } from 'node:util';
import {
  FrameReader,
  MAXIMUM_ANSWER,
  parseAttest,
  parseHello,
  parseProve,
  parseProved,
  parseVerdict,
} from '../../../contracts/attestation.ts';
import { ChartgateError } from '../../../contracts/errors.ts';
import { canonicalAuthority } from '../../../gateway/canonical/authority.ts';
import { framingOf } from '../../../gateway/canonical/framing.ts';
import { readHeaders } from '../../../gateway/canonical/headers.ts';
import { canonicalPath } from '../../../gateway/canonical/path.ts';
import { canonicalQuery } from '../../../gateway/canonical/query.ts';
import { readForm } from '../../../gateway/content/form.ts';
import { readJson } from '../../../gateway/content/json.ts';
import { writeJson } from '../../../gateway/content/json-write.ts';
import { CONTENT_LIMITS } from '../../../gateway/content/limits.ts';
import { readMultipart } from '../../../gateway/content/multipart.ts';
import { readXml } from '../../../gateway/content/xml.ts';
import { parseCompactToken } from '../../../identity/compact-token.ts';
import { withXml } from '../../../inspection/payload/xml/document.ts';
import { parseScopes } from '../../../policies/fhir/scopes.ts';
import { PAYLOAD_TARGETS } from './payload-targets.ts';
import { TRANSPORT_TARGETS } from './transport-targets.ts';

/** A parser under test: what it is begun with, and whether it did what it promises with something else. */
export interface Target {
  readonly name: string;
  readonly seeds: readonly string[];
  /** Words of its grammar. */
  readonly words: readonly string[];
  /** Whether the input was taken. Throws for anything that is against what the parser promises. */
  run(bytes: Buffer): boolean;
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const lines = (text: string): string[] =>
  text.split('\r\n').flatMap((line) => {
    const colon = line.indexOf(':');
    return colon <= 0 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()];
  });

const FIELD = 'Content-Disposition: form-data; name="a"';

export const TARGETS: readonly Target[] = [
  {
    name: 'JSON',
    seeds: [
      '{"resourceType":"Observation","id":"a","valueQuantity":{"value":1.50,"unit":"mmol/l"},"note":[{"text":"x\\n\\u00e9"}]}',
      '[null,true,false,-0.1e-10,"",{},[]]',
    ],
    words: ['"a":1', '\\u0061', '1e5', 'null', '{"a":', '"a"', '\\"'],
    run(bytes) {
      const read = readJson(bytes, { depth: 64, values: 10_000, strict: false, spans: true });
      if (!read.ok) return false;
      const text = bytes.toString('utf8');
      must(isDeepStrictEqual(read.value, JSON.parse(text)), 'reads something else than JSON.parse');
      must(
        isDeepStrictEqual(JSON.parse(writeJson(read.value, read).toString()), read.value),
        'writes something else',
      );
      return true;
    },
  },
  {
    name: 'form',
    seeds: ['a=1&b=x+y%20z&c[]=1&c[]=2', 'text=%0D%0Ax&n=%C3%A9'],
    words: ['a=1', '%41', '%C3%A9', '&&', 'a[]=', '+'],
    run(bytes) {
      const read = readForm(bytes, CONTENT_LIMITS);
      if (!read.ok) return false;
      // It takes a question mark at the very beginning for something else.
      const usual = new URLSearchParams(`0=&${bytes.toString('latin1')}`);
      if (read.fields.has('0')) return true;
      for (const [name, values] of read.fields)
        must(isDeepStrictEqual(usual.getAll(name), values), 'reads something else than URLSearchParams');
      return true;
    },
  },
  {
    name: 'multipart',
    seeds: [
      `--XyZ\r\n${FIELD}\r\n\r\n1\r\n--XyZ\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--XyZ--\r\n`,
    ],
    words: [
      '--XyZ',
      '--XyZ--',
      '\r\n--XyZ\r\n',
      FIELD,
      '; filename="x"',
      '\r\n\r\n',
      'Content-Type: text/plain',
    ],
    run(bytes) {
      const read = readMultipart(bytes, 'multipart/form-data; boundary=XyZ', CONTENT_LIMITS);
      if (!read.ok) return false;
      const rest = read.parts.reduce((sum, part) => sum + part.bytes.length, 0);
      must(rest <= bytes.length, 'has more than there was');
      must(
        read.parts.every((part) => !part.bytes.includes('--XyZ')),
        'has a delimiter in a part',
      );
      return true;
    },
  },
  {
    name: 'XML',
    seeds: [
      '<?xml version="1.0" encoding="UTF-8"?><!-- c --><?pi x?><a xmlns="http://hl7.org/fhir"><b value="1"/></a>',
    ],
    words: ['<!DOCTYPE a>', '<?xml version="1.0"?>', '<!--', '-->', '<?', '?>', '<a/>'],
    run(bytes) {
      const read = readXml(bytes);
      // A second reader, a whole one.
      const second = withXml(bytes.toString('utf8'), () => undefined);
      must(
        read.ok || second !== undefined || read.rule !== 'xml-doctype',
        'sees a document type where none is',
      );
      return read.ok && second === undefined;
    },
  },
  {
    name: 'path',
    seeds: ['/fhir/Patient/1', '/fhir/Patient/1/_history/2', '/a/$everything/', '/caf%C3%A9/x@y'],
    words: ['/../', '%2e', '%2f', '//', '/./', ';', '%25', '%00'],
    run(bytes) {
      const path = canonicalPath(bytes.toString('latin1'));
      if (path === undefined) return false;
      must(canonicalPath(path.text)?.text === path.text, 'is no fixed point');
      must(
        !path.segments.some((segment) => segment === '.' || segment === '..' || /[/\\\0]/.test(segment)),
        'has a separator in a segment',
      );
      return true;
    },
  },
  {
    name: 'query',
    seeds: ['patient=1&_count=10', 'a=x+y&b=%C3%A9&c', '_include=Observation:subject'],
    words: ['patient=2', '%3D', '%26', '&', ';', '%00', '+', '='],
    run(bytes) {
      const query = canonicalQuery(bytes.toString('latin1'));
      if (query === undefined) return false;
      const again = canonicalQuery(query.text);
      must(again?.text === query.text, 'is no fixed point');
      must(isDeepStrictEqual(again?.parameters, query.parameters), 'has other parameters once it is written');
      return true;
    },
  },
  {
    name: 'framing and headers',
    seeds: [
      'Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close, X-A\r\nX-A: 1\r\nCookie: a=b',
    ],
    words: [
      'Content-Length: 6',
      'Transfer-Encoding: gzip',
      'Connection: Content-Length',
      'Upgrade: h2c',
      'X_A: 1',
    ],
    run(bytes) {
      const read = readHeaders(lines(bytes.toString('latin1')));
      if (typeof read === 'string') return false;
      const framing = framingOf(read.contentLength, read.transferEncoding);
      must(
        framing === undefined || read.contentLength === undefined || read.transferEncoding === undefined,
        'takes a length and a coding',
      );
      for (const name of read.headers.keys()) must(/^[a-z0-9-]{1,64}$/.test(name), 'forwards an odd name');
      return true;
    },
  },
  {
    name: 'authority',
    seeds: ['north.example:8443', 'clinic.example', 'EXAMPLE.com.', '[::1]:443', 'xn--bcher-kva.example'],
    words: [':443', '.', '@', '[::1]', ':'],
    run(bytes) {
      const found = canonicalAuthority(bytes.toString('latin1'));
      if (found === undefined) return false;
      must(canonicalAuthority(found.authority)?.authority === found.authority, 'is no fixed point');
      return true;
    },
  },
  {
    name: 'scopes',
    seeds: [
      'patient/Observation.rs?category=http://x|vital-signs user/*.cruds launch/patient',
      'system/Patient.read openid',
    ],
    words: ['patient/', 'user/', '.rs', '.cruds', '?', '&', '|', '*', ' '],
    run(bytes) {
      const parsed = parseScopes(bytes.toString('utf8').split(' '), 'R4');
      return parsed.invalid.length === 0;
    },
  },
  {
    name: 'tokens',
    seeds: [
      `${['{"alg":"ES256","typ":"at+jwt","kid":"k"}', '{"iss":"https://a","sub":"b","exp":1}'].map((part) => Buffer.from(part).toString('base64url')).join('.')}.AAAA`,
    ],
    words: ['.', 'eyJ', '=', '-', '_', 'AAAA'],
    run(bytes) {
      return 'algorithm' in parseCompactToken(bytes.toString('latin1'));
    },
  },
  {
    name: 'frames of the checker',
    seeds: [
      '{"type":"hello","nonce":"AAAAAAAAAAAAAAAAAAAAAA"}',
      '{"type":"attest","id":1,"database":"north","nonce":"AAAAAAAAAAAAAAAAAAAAAA"}',
      '{"type":"verdict","id":1,"database":"north","nonce":"AAAAAAAAAAAAAAAAAAAAAA","state":"intact","epoch":"","findings":[],"micros":1,"mac":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
    ],
    words: ['"type":"attest"', '"id":2147483648', '"nonce":', '{}', '"findings":["x"]'],
    run(bytes) {
      const text = bytes.toString('latin1');
      const taken = [parseHello, parseProve, parseProved, parseAttest, parseVerdict].filter((parse) =>
        declared(() => parse(text)),
      );
      must(taken.length <= 1, 'is two messages');
      declared(() => new FrameReader(MAXIMUM_ANSWER).push(bytes, parseAttest));
      return taken.length === 1;
    },
  },
  ...PAYLOAD_TARGETS,
  ...TRANSPORT_TARGETS,
];

/** Whether it went well; a declared error is none of ours to worry about, any other is. */
function declared(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof ChartgateError && error.code === 'frame-invalid') return false;
    throw error;
  }
}
