import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  type FileAccess,
  loadCheckerSettings,
  loadGatewaySettings,
  loadPolicyDocument,
  realFiles,
} from '../../config/index.ts';
import { readYaml } from '../../config/yaml-text.ts';
import { ConfigurationError } from '../../contracts/errors.ts';
import { CHECKER, type Folder, GATEWAY, makeFolder, POLICY } from './support/folder.ts';

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder('config-hostile');
});
afterAll(() => folder.remove());

const KINDS = [
  { name: 'gateway.yaml', sound: GATEWAY, load: loadGatewaySettings },
  { name: 'checker.yaml', sound: CHECKER, load: loadCheckerSettings },
  { name: 'lone.yaml', sound: POLICY, load: loadPolicyDocument },
] as const;

/** The real files, but for one that holds what the test wants. */
function filesWith(path: string, content: Uint8Array): FileAccess {
  return {
    read: (file, limit) =>
      file === path ? { ok: true, bytes: Buffer.from(content), mode: 0o644 } : realFiles.read(file, limit),
  };
}

/** Loads, and checks what must hold of whatever comes out. */
function tryOut(kind: (typeof KINDS)[number], content: Uint8Array): void {
  const file = `${folder.path}/${kind.name}`;
  try {
    kind.load(file, { files: filesWith(file, content) });
  } catch (error) {
    // Anything else would be a fault of ours that the operator cannot mend.
    expect(error).toBeInstanceOf(ConfigurationError);
    const { faults, message } = error as ConfigurationError;
    expect(faults.length).toBeGreaterThan(0);
    expect(message).not.toMatch(/canary|-----BEGIN [A-Z ]+-----\n/);
    const lines = Buffer.from(content)
      .toString('latin1')
      .split(/\r\n|\r|\n/).length;
    for (const fault of faults) {
      expect(fault.message).not.toMatch(/undefined|\[object|NaN/);
      if (fault.file === file) expect(fault.line).toBeLessThanOrEqual(lines);
    }
  }
}

const NASTY = [
  ...[
    '&a ',
    '*a',
    '!!str ',
    '!x ',
    '<<: ',
    '? ',
    '- ',
    ': ',
    '#',
    '|',
    '>-',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ',',
  ],
  ...[
    '---',
    '...',
    '%YAML 1.1',
    '\t',
    '\r',
    '\n',
    '\u0000',
    '\u2028',
    '\ufeff',
    '\ud83d',
    '0777',
    '.nan',
    '~',
  ],
  ...['null', 'true', '-1', '1e999', '__proto__: {}', 'constructor: {}', '../', '/dev/null', 'file: .'],
];

test.each(KINDS)('no mutation of the text of $name brings out anything but faults', (kind) => {
  const sound = Buffer.from(kind.sound);
  const place = fc.nat(sound.length);
  const mutation = fc.tuple(
    place,
    fc.nat(20),
    fc.oneof(
      fc.constantFrom(...NASTY).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 8 }),
    ),
  );
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      let content: Uint8Array = sound;
      for (const [start, length, insert] of mutations) {
        content = Buffer.concat([content.subarray(0, start), insert, content.subarray(start + length)]);
      }
      tryOut(kind, content);
    }),
    { numRuns: 300 },
  );
});

test.each(KINDS)('no value in any place of $name brings out anything but faults', (kind) => {
  const sound: unknown = parse(kind.sound);
  const places = placesOf(sound);
  fc.assert(
    fc.property(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 3 }), (place, value) => {
      const data = structuredClone(sound);
      put(data, place, value);
      tryOut(kind, Buffer.from(JSON.stringify(data)));
    }),
    { numRuns: 300 },
  );
});

test.each(KINDS)('each place of $name may be missing or null without anything but faults', (kind) => {
  const sound: unknown = parse(kind.sound);
  for (const place of placesOf(sound)) {
    for (const value of [undefined, null]) {
      const data = structuredClone(sound);
      put(data, place, value);
      tryOut(kind, Buffer.from(JSON.stringify(data)));
    }
  }
});

test('the reader of YAML returns whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (content) => {
      const { text, faults } = readYaml(content);
      return text !== undefined || faults.length > 0;
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...NASTY, 'a', ' ', '  ', '\n'), { maxLength: 40 }), (parts) => {
      const { text, faults } = readYaml(Buffer.from(parts.join('')));
      return text !== undefined || faults.length > 0;
    }),
    { numRuns: 1000 },
  );
});

type Place = readonly (string | number)[];

function placesOf(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => {
    const below = [...place, key];
    return [below, ...placesOf((value as Record<string | number, unknown>)[key], below)];
  });
}

function put(data: unknown, place: Place, value: unknown): void {
  let parent = data as Record<string | number, unknown>;
  for (const key of place.slice(0, -1)) parent = parent[key] as typeof parent;
  const last = place.at(-1);
  if (last !== undefined) parent[last] = value;
}
