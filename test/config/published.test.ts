import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  type FileAccess,
  loadCheckerSettings,
  loadGatewaySettings,
  loadIssuerSettings,
  loadPolicyDocument,
  realFiles,
} from '../../config/index.ts';
import { CHECKER_SCHEMA } from '../../config/shape/checker.ts';
import { GATEWAY_SCHEMA } from '../../config/shape/gateway.ts';
import { ISSUER_SCHEMA } from '../../config/shape/issuer.ts';
import { POLICY_SCHEMA } from '../../config/shape/policy.ts';
import type { Schema } from '../../config/shape/schema.ts';
import { createAuthority } from '../../examples/support/local-authority.ts';
import { compilePolicy } from '../../policies/index.ts';
import { type Folder, makeFolder } from './support/folder.ts';

const root = join(import.meta.dirname, '..', '..');
const published = join(root, 'config', 'schema');
const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>';
const publicKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const KINDS = [
  { kind: 'gateway', schema: GATEWAY_SCHEMA },
  { kind: 'checker', schema: CHECKER_SCHEMA },
  { kind: 'issuer', schema: ISSUER_SCHEMA },
  { kind: 'policy', schema: POLICY_SCHEMA },
] as const;

test('the documentation and the published schemas are what the schema in the code makes', () => {
  const script = join(root, 'scripts', 'configuration-docs.ts');
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

describe.each(KINDS)('the published schema of $kind', ({ kind, schema }) => {
  const json = JSON.parse(readFileSync(join(published, `${kind}.schema.json`), 'utf8')) as Schema;

  test('equals the one in the code', () => {
    expect(json).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  test('is sound draft-07, with nothing an editor would stumble over', () => {
    expect(new Ajv({ strict: false }).validateSchema(json, true)).toBe(true);
  });

  test('describes every key, and gives an example or a default of every value', () => {
    const wanting: string[] = [];
    eachKey(schema, '', (path, property) => {
      if (!property.description) wanting.push(`${path}: description`);
      const container = property.type === 'object' || property.items?.type === 'object';
      const shown = container || property.examples !== undefined || property.default !== undefined;
      if (!shown) wanting.push(`${path}: example`);
      if (property.properties !== undefined && property.title === undefined) wanting.push(`${path}: title`);
    });
    expect(wanting).toEqual([]);
  });

  test('accepts its own defaults and examples', () => {
    const ajv = new Ajv({ strict: false });
    const bad: string[] = [];
    eachKey(schema, '', (path, property) => {
      const values = [
        ...(property.examples ?? []),
        ...(property.default === undefined ? [] : [property.default]),
      ];
      for (const value of values) if (!ajv.validate(property, value)) bad.push(`${path}: ${value}`);
    });
    expect(bad).toEqual([]);
  });

  test('allows no key that it does not know', () => {
    const open: string[] = [];
    eachKey(schema, '', (path, property) => {
      if (property.properties !== undefined && property.additionalProperties !== false) open.push(path);
    });
    expect(open).toEqual([]);
  });

  test('has an example file in which every key occurs', () => {
    const missing: string[] = [];
    eachKey(schema, '', (path) => {
      // Those of an override are the keys of a route, which all occur there.
      if (path.startsWith('override')) return;
      if (occurs(exampleOf(kind), path.split('.'))) return;
      // State is in a file or on a server: one example shows the one, one the other; a socket excludes a host.
      if (path === 'state.server.socketPath' || path === 'limits.redis.socketPath') return;
      if (path.startsWith('limits.redis.sentinel') || path.startsWith('limits.redis.cluster')) return;
      const shown =
        path.startsWith('state.') && KINDS.some((other) => occurs(exampleOf(other.kind), path.split('.')));
      if (!shown) missing.push(path);
    });
    expect(missing).toEqual([]);
  });
});

const XSD =
  '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="exchange" type="xs:string"/></xs:schema>';
const OPENAPI = `openapi: 3.1.0
info: { title: Exchange, version: '1' }
paths:
  /exchange:
    post:
      responses: { '200': { description: done } }
`;

describe('the published examples', () => {
  let folder: Folder;
  let revocations: Buffer;
  beforeAll(async () => {
    folder = await makeFolder('config-published');
    revocations = Buffer.from(await (await createAuthority('Clients')).revocationList([]));
  });
  afterAll(() => folder.remove());

  /** The examples as they are; for the files they refer to, real ones of the right kind. */
  const files: FileAccess = {
    list: () => ({ ok: true, names: [] }),
    read(path, limit) {
      const stands = (name: string) => realFiles.read(join(folder.path, name), limit);
      if (path.endsWith('.example.yaml')) return realFiles.read(path, limit);
      if (path.endsWith('clinic.yaml')) return realFiles.read(join(published, 'policy.example.yaml'), limit);
      if (path.endsWith('/seal.pem')) return stands('signer.pem');
      if (path.endsWith('.crl.pem')) return { ok: true, bytes: revocations, mode: 0o644 };
      if (/\/(?:state|incident)-key$/.test(path)) return { ok: true, bytes: randomBytes(32), mode: 0o600 };
      if (path.endsWith('.svg')) return { ok: true, bytes: Buffer.from(LOGO), mode: 0o644 };
      if (path.endsWith('.jwks.json'))
        return { ok: true, bytes: Buffer.from(JSON.stringify(publicKey)), mode: 0o644 };
      if (path.endsWith('/lengths.yaml')) return text('note: 2000\n');
      if (path.endsWith('/exchange.schema.json')) return text('{"type":"object"}');
      if (path.endsWith('/exchange.xsd')) return text(XSD);
      if (path.endsWith('/exchange.openapi.yaml')) return text(OPENAPI);
      if (path.includes('/secrets/')) return stands('shared.secret');
      if (path.endsWith('/key.pem')) return stands('key.pem');
      if (path.endsWith('/chain.pem')) return stands('chain.pem');
      if (path.endsWith('/anna.pub.pem')) return stands('signer.pub.pem');
      if (path.endsWith('/boris.pub.pem')) return stands('signer-2.pub.pem');
      if (path.endsWith('/chris.pub.pem')) return stands('signer-3.pub.pem');
      return stands('authority.pem');
    },
  };

  function text(content: string): ReturnType<FileAccess['read']> {
    return { ok: true, bytes: Buffer.from(content), mode: 0o644 };
  }

  test('are sound to the last rule', () => {
    const policyRules = (document: Parameters<typeof compilePolicy>[1], hideDeadlineMs: number) => {
      const compiled = compilePolicy('example', document, { hideDeadlineMs });
      return compiled.ok ? [] : compiled.faults;
    };
    const file = (kind: string) => join(published, `${kind}.example.yaml`);
    const gateway = loadGatewaySettings(file('gateway'), { files, policyRules });
    expect(gateway.policies.get('clinic')?.routes.length).toBeGreaterThan(3);
    expect(loadCheckerSettings(file('checker'), { files }).databases).toHaveLength(2);
    expect(loadIssuerSettings(file('issuer'), { files }).clients).toHaveLength(3);
    expect(loadPolicyDocument(file('policy'), { files, policyRules }).routes.length).toBeGreaterThan(3);
  });
});

function exampleOf(kind: string): unknown {
  return parse(readFileSync(join(published, `${kind}.example.yaml`), 'utf8'));
}

/** Visits every named key; lists add nothing to the path. */
function eachKey(schema: Schema, path: string, visit: (path: string, schema: Schema) => void): void {
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const below = path === '' ? key : `${path}.${key}`;
    visit(below, property);
    eachKey(property, below, visit);
    if (property.items !== undefined) eachKey(property.items, below, visit);
  }
}

function occurs(value: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return true;
  if (Array.isArray(value)) return value.some((item) => occurs(item, path));
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, key) && occurs((value as Record<string, unknown>)[key], rest);
}
