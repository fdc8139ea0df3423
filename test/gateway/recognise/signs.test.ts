import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Automaton } from '../../../gateway/recognise/automaton.ts';
import { errorMatcher } from '../../../gateway/recognise/errors.ts';
import { looksLikeText, readingOf, resourceIn } from '../../../gateway/recognise/media.ts';
import { ownMatcher } from '../../../gateway/recognise/own.ts';
import { Scan } from '../../../gateway/recognise/scan.ts';
import { ERRORS, HARMLESS } from './errors.ts';

const found = (text: string | Buffer) => new Scan(errorMatcher()).add(Buffer.from(text), true);

/** The same in parts of this many bytes. */
function inParts(body: Buffer, size: number) {
  const scan = new Scan(errorMatcher());
  for (let at = 0; at < body.length; at += size) {
    const sign = scan.add(body.subarray(at, at + size), at + size >= body.length);
    if (sign !== undefined) return sign;
  }
  return undefined;
}

const PAGE = (text: string) =>
  `<!doctype html><html><head><title>Chart</title></head><body>${'<p>Seen, and well.</p>'.repeat(40)}\n${text}\n${'<p>Next visit in May.</p>'.repeat(40)}</body></html>`;

describe('an error is known by what stands in it', () => {
  it.each(ERRORS)('%s', (_what, text, sign) => {
    expect(found(text)).toBe(sign);
  });

  it.each(ERRORS)('%s, in the middle of a good page', (_what, text) => {
    expect(found(PAGE(text))).toBeDefined();
  });

  it.each(ERRORS)('%s, arriving in parts', (_what, text) => {
    const body = Buffer.from(PAGE(text));
    for (const size of [1, 7, 64, 1000]) expect(inParts(body, size), `${size}`).toBeDefined();
  });
});

describe('what is none is never taken for one', () => {
  it.each(HARMLESS)('%s', (_what, text) => {
    expect(found(text)).toBeUndefined();
    expect(found(PAGE(text))).toBeUndefined();
  });

  it('no page of all of them together', () => {
    expect(found(PAGE(HARMLESS.map(([, text]) => text).join('\n\n\n'.padEnd(600))))).toBeUndefined();
  });

  const examples = join(import.meta.dirname, '../../../../shared/data/fhir/r4-examples.ndjson');
  it.runIf(existsSync(examples))('none of 255 published FHIR resources, in two layouts and wrapped', () => {
    const resources = readFileSync(examples, 'utf8').trim().split('\n');
    expect(resources).toHaveLength(255);
    const wrong = resources.flatMap((text) => {
      const resource: unknown = JSON.parse(text);
      const wrapped = JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry: [{ resource }] });
      return [text, JSON.stringify(resource, null, 2), wrapped, `<pre>${text}</pre>`].filter((each) =>
        found(each),
      );
    });
    expect(wrong).toEqual([]);
  });
});

describe('bodies are looked at by what they are', () => {
  it.each([
    ['text/html; charset=utf-8', 'text'],
    ['application/fhir+json', 'text'],
    ['application/problem+json', 'text'],
    ['application/json+fhir', 'text'],
    ['application/xhtml+xml', 'text'],
    ['multipart/byteranges; boundary=x', 'text'],
    ['', 'text'],
    ['nonsense', 'text'],
    ['text/html; charset=UTF-16LE', 'unreadable'],
    ['text/html; charset="utf-7"', 'unreadable'],
    ['application/javascript', 'program'],
    ['text/css', 'program'],
    ['image/png', 'binary'],
    ['application/pdf', 'binary'],
    ['application/octet-stream', 'binary'],
  ])('%s', (type, reading) => {
    expect(readingOf(type)).toBe(reading);
  });

  it('text that is called an image is text', () => {
    expect(looksLikeText(Buffer.from('<b>Fatal error</b>: x in'))).toBe(true);
    expect(looksLikeText(Buffer.from('89504e470d0a1a0a0000000d49484452000001', 'hex'))).toBe(false);
    expect(looksLikeText(Buffer.from('%PDF-1.4\n1 0 obj << >> endobj'))).toBe(false);
  });

  it.each([
    ['a resource', '{"resourceType":"Patient","id":"1"}', 'record'],
    ['with a line break at its end', '{ "resourceType" : "Patient" }\n', 'record'],
    ['an outcome', '{"resourceType":"OperationOutcome"}', undefined],
    ['a bundle', '{"resourceType":"Bundle"}', 'records'],
    ['with a warning before it', '<br/>{"resourceType":"Patient"}', undefined],
    ['with a warning behind it', '{"resourceType":"Patient"}\n<b>Warning</b>: x', undefined],
  ])('%s needs to be looked through, or does not', (_what, text, plain) => {
    expect(resourceIn([Buffer.from(text)])).toBe(plain);
    expect(resourceIn([...Buffer.from(text)].map((byte) => Buffer.from([byte])))).toBeUndefined();
  });
});

describe('the automaton finds what a search for each text finds', () => {
  it('wherever they stand, overlap, or are cut', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'B', 'c', '0'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 1, maxLength: 8, selector: (each) => each.toLowerCase() }),
        fc.string({ unit: fc.constantFrom('a', 'A', 'b', 'C', '0', 'z'), maxLength: 60 }),
        fc.nat(60),
        (needles, text, cut) => {
          const automaton = new Automaton(needles);
          const hits: string[] = [];
          const parts = [text.slice(0, cut), text.slice(cut)];
          let state = 0;
          let before = 0;
          for (const part of parts) {
            state = automaton.read(Buffer.from(part), state, (needle, end) => {
              hits.push(`${needle}:${before + end}`);
              return false;
            });
            before += part.length;
          }
          const wanted: string[] = [];
          const low = text.toLowerCase();
          needles.forEach((needle, index) => {
            const sought = needle.toLowerCase();
            for (let at = low.indexOf(sought); at >= 0; at = low.indexOf(sought, at + 1))
              wanted.push(`${index}:${at + sought.length}`);
          });
          expect(hits.sort()).toEqual(wanted.sort());
        },
      ),
    );
  });

  it('and time stays linear for text made to slow it', () => {
    for (const evil of [
      'SELECT a FROM ',
      ' in /a on line ',
      ', line File "x',
      "Duplicate entry '",
      '10.0.0.1 error ',
    ]) {
      const text = Buffer.from(evil.repeat(Math.ceil((256 * 1024) / evil.length)));
      const begun = performance.now();
      found(text);
      // 256 KiB; about 70 ms on a slow machine. A proof for each find would take minutes.
      expect(performance.now() - begun, evil).toBeLessThan(2000);
    }
  });
});

describe('patterns of settings', () => {
  const rules = (bodies: readonly (readonly string[])[], more: object = {}) =>
    ownMatcher({
      hidden: bodies.map((body) => ({ status: undefined, body, location: undefined, ...more })),
      failed: [],
      except: new Set(),
      maxBytes: undefined,
    });
  const meant = (bodies: readonly (readonly string[])[], text: Buffer | string, status = 200) => {
    const matcher = rules(bodies).body;
    if (matcher === undefined) throw new Error('no pattern of bodies');
    return new Scan(matcher({ status, location: undefined })).add(Buffer.from(text), true);
  };

  it.each([
    ['whatever the case', [['No such patient']], 'NO SUCH PATIENT: 4', true],
    ['in UTF-8', [['für Sie gesperrt']], 'Die Akte ist für Sie gesperrt.', true],
    ['in Latin-1', [['für Sie gesperrt']], Buffer.from('Die Akte ist für Sie gesperrt.', 'latin1'), true],
    ['with something between', [['Patient ', ' was not found']], 'Patient 4711 was not found', true],
    ['with nothing between', [['Patient ', ' was not found']], 'Patient  was not found', true],
    [
      'with too much between',
      [['Patient ', ' was not found']],
      `Patient ${'x'.repeat(300)} was not found`,
      false,
    ],
    ['the other way round', [['Patient ', ' was not found']], ' was not found, Patient ', false],
    ['something else', [['No such patient']], 'No such patience', false],
    ['an expression is a text', [['No such .*']], 'No such patient', false],
  ] as const)('%s', (_what, bodies, text, is) => {
    expect(meant(bodies, text)).toBe(is ? 'hidden' : undefined);
  });

  it('a redirect is known by where it leads', () => {
    const matcher = rules([], {});
    expect(matcher.body).toBeUndefined();
    const login = ownMatcher({
      hidden: [{ status: [302], body: undefined, location: ['/login', 'expired='] }],
      failed: [],
      except: new Set(),
      maxBytes: undefined,
    });
    expect(login.ofHead({ status: 302, location: '/login?x=1&expired=1' })).toBe('hidden');
    expect(login.ofHead({ status: 301, location: '/login?expired=1' })).toBeUndefined();
    expect(login.ofHead({ status: 302, location: '/chart' })).toBeUndefined();
    expect(login.ofHead({ status: 302, location: undefined })).toBeUndefined();
  });
});
