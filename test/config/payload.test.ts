import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadPolicyDocument } from '../../config/index.ts';
import { readPolicySource } from '../../config/sources.ts';
import type { ConfigurationError } from '../../contracts/errors.ts';
import { policyRules } from '../../gateway/process/runtime.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'payload-'));
  writeFileSync(join(folder, 'a.schema.json'), '{"type":"object"}');
  writeFileSync(join(folder, 'broken.schema.json'), '{"type":"thing"}');
  writeFileSync(join(folder, 'latin.xsd'), Buffer.from([0xe9]));
  writeFileSync(join(folder, 'lengths.yaml'), 'fname: 50\n/name/*/family: 20\n');
  writeFileSync(join(folder, 'odd.yaml'), 'fname: 50\nlname: many\n');
});

function load(payload: string) {
  const file = join(folder, 'policy.yaml');
  writeFileSync(
    file,
    `routes:
  - id: note
    methods: [POST]
    path: /note
    scopes: [note]
    mediaTypes: [application/json]
    inspect:
      payload:
${payload.replaceAll(/^/gm, '        ')}
`,
  );
  return loadPolicyDocument(file, { policyRules });
}

function faultOf(payload: string): string {
  try {
    load(payload);
  } catch (error) {
    return (error as ConfigurationError).faults
      .map(({ line, path, message }) => `${line} ${path}: ${message}`)
      .join('\n');
  }
  return '';
}

describe('the payload of a route', () => {
  it('is read with the files that it names', () => {
    const [route] = load(`schema: a.schema.json
lengths: lengths.yaml
fields:
  pid: { type: integer, required: true, minimum: 1 }
  scan: { type: file, mediaTypes: [application/pdf], maxBytes: 2MB }
parameters: { constructor: { type: word } }
searchParameters: { ward: token }`).routes;
    const payload = route?.inspect?.payload;
    expect(payload?.schema).toEqual({ name: 'a.schema.json', text: '{"type":"object"}' });
    expect({ ...payload?.lengths }).toEqual({ fname: 50, '/name/*/family': 20 });
    expect(payload?.fields?.scan).toEqual({
      type: 'file',
      mediaTypes: ['application/pdf'],
      maxBytes: 2_000_000,
    });
    expect(Object.keys(payload?.parameters ?? {})).toEqual(['constructor']);
    expect(payload?.searchParameters).toEqual({ ward: 'token' });
  });

  it('and its files are one source, so that a reload sees one version', () => {
    expect(faultOf('schema: a.schema.json\nxsd: [latin.xsd, absent.xsd]')).not.toBe('');
    const { references } = readPolicySource(join(folder, 'policy.yaml'));
    expect(references?.map(({ name, content }) => [name, typeof content])).toEqual([
      ['a.schema.json', 'object'],
      ['latin.xsd', 'object'],
      ['absent.xsd', 'string'],
    ]);
  });

  it.each([
    ['schema: absent.json', /^9 routes\[0\]\.inspect\.payload\.schema: the file does not exist/],
    ['schema: broken.schema.json', /^9 routes\[0\]\.inspect\.payload\.schema: the file is no JSON Schema/],
    ['xsd: [latin.xsd]', /^9 routes\[0\]\.inspect\.payload\.xsd\[0\]: the file is not UTF-8 text/],
    [
      'lengths: odd.yaml',
      /^9 routes\[0\]\.inspect\.payload\.lengths: line 2 of the file: must be a whole number/,
    ],
    ['lengths: a.schema.json', /must be a whole number of characters/],
    ['fields: { a: { type: enum } }', /values: is missing: an enum needs its values/],
    ['fields: { a: { type: file } }', /mediaTypes: is missing/],
    ['fields: { a: { type: date, maximum: 3 } }', /maximum: is only for integer, decimal/],
    ['fields: { a: { type: number } }', /type: must be one of text, line/],
    [
      'fields: { a: { type: file, mediaTypes: [image/x-odd] } }',
      /mediaTypes\[0\]: is no media type that can be told/,
    ],
    ['parameters: { a: { type: file, mediaTypes: [image/png] } }', /a query carries no file/],
    ['searchParameters: { a: text }', /must be one of number, date/],
    ['shema: a.schema.json', /is not a known key; did you mean "schema"/],
  ])('with the fault %s says where and what', (payload, message) => {
    expect(faultOf(payload)).toMatch(message);
  });
});
