import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secretOf } from '../../../config/secret.ts';
import { readSealingKey, sealingKeyFault } from '../../../contracts/sealing-key.ts';
import { createSealer, hashId, type Place } from '../../../identity/state/index.ts';

const text = (value: string): ReturnType<typeof secretOf> => secretOf(Buffer.from(value, 'latin1'));
const key = (): ReturnType<typeof secretOf> => text(`${randomBytes(32).toString('base64')}\n`);
const PLACE: Place = { kind: 'totp', id: 'someone', field: 'secret' };
const DOES_NOT_OPEN = expect.objectContaining({ code: 'state-invalid' });

describe('a sealing key', () => {
  const bytes = Buffer.from('7f1c9be40a52d8e3316bf8047ec9a1550d64b2979e2ac81b43d6f0387a95ce11', 'hex');

  it.each([
    ['base64', bytes.toString('base64')],
    ['base64 and a line break', `${bytes.toString('base64')}\n`],
    ['base64 and a line break of another system', `${bytes.toString('base64')}\r\n`],
    ['base64 without padding', bytes.toString('base64').replace('=', '')],
    ['base64url', bytes.toString('base64url')],
    ['hexadecimal digits', bytes.toString('hex')],
    ['large hexadecimal digits', bytes.toString('hex').toUpperCase()],
    ['bytes as they are', bytes.toString('latin1')],
  ])('may be written as %s', (_, content) => {
    expect(readSealingKey(text(content))).toEqual({ ok: true, key: bytes });
  });

  it.each([
    ['empty', ''],
    ['too short', randomBytes(31).toString('base64')],
    ['too long', randomBytes(33).toString('base64')],
    ['of half the length', randomBytes(16).toString('hex')],
    ['zero', '0'.repeat(64)],
    ['one byte again and again', 'ab'.repeat(32)],
    ['two bytes in turn', 'ab12'.repeat(16)],
    ['counted up', Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('hex')],
    ['counted up in threes', Buffer.from(Array.from({ length: 32 }, (_, n) => n * 3)).toString('base64')],
    ['a sentence', 'correct horse battery staple and'],
    ['a sentence in base64', Buffer.from('correct horse battery staple and').toString('base64')],
    ['base64 with bits that say nothing', `${bytes.toString('base64').slice(0, -2)}F=`],
    ['hexadecimal with a letter that is none', `g${bytes.toString('hex').slice(1)}`],
    ['two keys', `${bytes.toString('base64')}\n${bytes.toString('base64')}`],
  ])('is refused when it is %s, and not shown', (_, content) => {
    const fault = sealingKeyFault(text(content));
    expect(fault).toMatch(/openssl rand -base64 32/);
    if (content.length > 0) expect(fault).not.toContain(content);
    expect(() => createSealer(text(content))).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    );
  });

  it('must be there, and only once', () => {
    const one = key();
    for (const keys of [[], [one, one]]) {
      expect(() => createSealer(keys)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }));
    }
  });
});

describe('a sealed value', () => {
  const sealer = createSealer(key());

  it('opens to what it was, for its own place and never the same twice', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), fc.string(), (value, id, field) => {
        const place = { ...PLACE, id, field };
        const [one, two] = [sealer.seal(value, place), sealer.seal(value, place)];
        expect(one).not.toBe(two);
        expect(sealer.open(one, place)).toEqual(Buffer.from(value));
        expect(sealer.open(two, place)).toEqual(Buffer.from(value));
      }),
    );
  });

  it.each<[string, Place]>([
    ['of another kind', { ...PLACE, kind: 'passkey' }],
    ['of another document', { ...PLACE, id: 'someone-else' }],
    ['of another field', { ...PLACE, field: 'name' }],
    ['whose parts are cut elsewhere', { ...PLACE, id: 'someones', field: 'ecret' }],
    ['without a field', { ...PLACE, id: 'someonesecret', field: '' }],
    ['with another case', { ...PLACE, id: 'Someone' }],
  ])('does not open at a place %s', (_, place) => {
    expect(() => sealer.open(sealer.seal('value', PLACE), place)).toThrow(DOES_NOT_OPEN);
  });

  it('does not open when any character of it is another, missing or one too many', () => {
    const sealed = sealer.seal('value', PLACE);
    for (let at = 0; at < sealed.length; at += 1) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      for (const changed of [
        `${sealed.slice(0, at)}${other}${sealed.slice(at + 1)}`,
        `${sealed.slice(0, at)}${sealed.slice(at + 1)}`,
        `${sealed.slice(0, at)}=${sealed.slice(at)}`,
      ]) {
        expect(() => sealer.open(changed, PLACE)).toThrow(DOES_NOT_OPEN);
      }
    }
  });

  it('is refused, and nothing else happens, whatever is given for one', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String().map((tail) => `1.${'A'.repeat(11)}.${tail}`),
        ),
        (sealed) => {
          expect(() => sealer.open(sealed, PLACE)).toThrow(DOES_NOT_OPEN);
        },
      ),
    );
  });

  it('opens with an older key as long as that is given, and is known as old', () => {
    const [older, newer] = [key(), key()];
    const sealed = createSealer(older).seal('value', PLACE);
    const both = createSealer([newer, older]);
    expect(both.open(sealed, PLACE).toString()).toBe('value');
    expect([both.isOld(sealed), both.isOld(both.seal('value', PLACE))]).toEqual([true, false]);
    expect(() => createSealer(newer).open(sealed, PLACE)).toThrow(DOES_NOT_OPEN);
    // A name of a key that is another's does not help.
    const [, , rest] = sealed.split('.');
    const [format, id] = both.seal('value', PLACE).split('.');
    expect(() => both.open(`${format}.${id}.${rest}`, PLACE)).toThrow(DOES_NOT_OPEN);
  });

  it('shows neither its key nor its value', () => {
    const secret = key();
    const sealed = createSealer(secret).seal('a value that nobody should see', PLACE);
    const raw = Buffer.from(secret.reveal().toString(), 'base64');
    for (const part of sealed.split('.')) {
      const shown = Buffer.from(part, 'base64url');
      expect(shown.includes('value')).toBe(false);
      expect(shown.includes(raw.subarray(0, 8))).toBe(false);
    }
  });
});

it('the hash of an id is SHA-256, as 43 characters that every store takes', () => {
  expect(hashId('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
});
