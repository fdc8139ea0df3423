import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createAuthority } from '../../examples/support/local-authority.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, 'docs', file), 'utf8');

/** Settings files of a page, by the path in their first line; what goes "into" a file is merged into it. */
function filesOf(page: string, additions = true): Map<string, Record<string, unknown>> {
  const files = new Map<string, Record<string, unknown>>();
  for (const [, into, path = '', text = ''] of page.matchAll(
    /```yaml\n# (into )?(\/etc\/\S+)\n([\s\S]*?)```/g,
  )) {
    if (into !== undefined && !additions) continue;
    const document = parse(text) as Record<string, unknown>;
    files.set(path, into === undefined ? document : merged(files.get(path), document));
  }
  return files;
}

/** Lists of things with an id are merged by it; everything else is replaced. */
function merged(before: unknown, more: Record<string, unknown>): Record<string, unknown> {
  const result = { ...(before as Record<string, unknown> | undefined) };
  for (const [key, value] of Object.entries(more)) {
    const there = result[key];
    if (!Array.isArray(value) || !Array.isArray(there)) {
      result[key] = value;
      continue;
    }
    const known = there as readonly { readonly id?: string }[];
    const added = value as readonly Record<string, unknown>[];
    result[key] = [
      ...known.map((each) => ({ ...each, ...added.find(({ id }) => id === each.id) })),
      ...added.filter(({ id }) => !known.some((each) => each.id === id)),
    ];
  }
  return result;
}

let folder: string;
const at = (path: string): string => join(folder, path);

/** Writes the settings with stand-ins for every file that they name. */
async function write(files: ReadonlyMap<string, Record<string, unknown>>): Promise<void> {
  const authority = await createAuthority('Guide Authority');
  const certificate = await authority.issue({
    commonName: 'emr.clinic.example',
    hosts: ['emr.clinic.example', 'id.clinic.example'],
    days: 90,
  });
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  for (const [path, document] of files) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), stringify(document, { aliasDuplicateObjects: false }), { mode: 0o600 });
    for (const name of JSON.stringify(document).matchAll(/"file":"([^"/]+)"|"clientKey":"([^"]+)"/g)) {
      const file = name[1] ?? name[2] ?? '';
      if (file.endsWith('.sqlite') || file.endsWith('.yaml')) continue;
      const content = file.endsWith('.pem')
        ? key.export({ type: 'pkcs8', format: 'pem' }).toString()
        : randomBytes(32).toString('hex');
      writeFileSync(join(dirname(at(path)), file), content, { mode: 0o600 });
    }
  }
  const gateway = at('/etc/chartgate/gateway');
  writeFileSync(join(gateway, 'chain.pem'), certificate.certificatePem);
  writeFileSync(join(gateway, 'key.pem'), certificate.keyPem, { mode: 0o600 });
}

function check(...words: string[]) {
  return spawnSync(process.execPath, [join(root, 'bin', 'chartgate.mjs'), 'check', ...words], {
    encoding: 'utf8',
  });
}

describe('what docs/getting-started.md says about people', () => {
  const GATEWAY = '/etc/chartgate/gateway/gateway.yaml';
  const ISSUER = '/etc/chartgate/issuer/issuer.yaml';
  const guide = filesOf(read('getting-started.md'));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'chartgate-guide-'));
    return write(guide).then(() => {
      // What the two share, copied as the page says.
      for (const [, from = '', to = ''] of read('getting-started.md').matchAll(
        /^cp (issuer\/\S+) (gateway\/\S+)$/gm,
      ))
        copyFileSync(at(join('/etc/chartgate', from)), at(join('/etc/chartgate', to)));
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives settings of gateway and issuer that are sound and cause no warning', () => {
    const { status, stdout, stderr } = check('--gateway', at(GATEWAY), '--issuer', at(ISSUER));
    expect(stderr).toBe('');
    expect(stdout).not.toContain('warning');
    expect(status).toBe(0);
  });

  it('gives the two the same addresses', () => {
    const issuer = guide.get(ISSUER) as {
      issuer: string;
      issuerSocket: string;
      tenants: { audience: string }[];
      clients: { id: string; redirectUris: string[] }[];
    };
    const gateway = guide.get(GATEWAY) as {
      issuers: {
        id: string;
        issuer: string;
        relyingParty?: { clientId: string };
        embedded?: { socket: string };
      }[];
      tenants: { audience: string; hosts: string[] }[];
    };
    const mounted = gateway.issuers.find(({ embedded }) => embedded !== undefined);
    expect(mounted?.issuer).toBe(issuer.issuer);
    expect(mounted?.embedded?.socket).toBe(issuer.issuerSocket);
    expect(mounted?.relyingParty?.clientId).toBe(issuer.clients[0]?.id);
    expect(gateway.tenants[0]?.audience).toBe(issuer.tenants[0]?.audience);
    expect(issuer.clients[0]?.redirectUris).toEqual([
      `https://${gateway.tenants[0]?.hosts[0]}/.chartgate/callback/${mounted?.id}`,
    ]);
  });

  it('names commands and options that there are', () => {
    const words = [...read('getting-started.md').matchAll(/^\$CHARTGATE (\w+ \w+)(.*)$/gm)];
    expect(words.length).toBeGreaterThanOrEqual(6);
    for (const [, command = '', rest = ''] of words) {
      const help = spawnSync(
        process.execPath,
        [join(root, 'bin', 'chartgate.mjs'), ...command.split(' '), '--help'],
        { encoding: 'utf8' },
      );
      expect(`${command}: ${help.status}`).toBe(`${command}: 0`);
      for (const [option] of rest.matchAll(/--[a-z-]+/g)) expect(help.stdout).toContain(option);
    }
  });
});

describe('what docs/identity.md says about outside providers', () => {
  const base = filesOf(read('getting-started.md'), false);
  const examples = [...read('identity.md').matchAll(/```yaml\n# (keycloak|entra)\n([\s\S]*?)```/g)];

  it.each(['keycloak', 'entra'])('gives settings for %s that the gateway takes', async (name) => {
    const text = examples.find(([, which]) => which === name)?.[2];
    folder = mkdtempSync(join(tmpdir(), 'chartgate-guide-'));
    try {
      const path = '/etc/chartgate/gateway/gateway.yaml';
      const files = new Map(base);
      files.set(path, merged(base.get(path), parse(text ?? '') as Record<string, unknown>));
      await write(files);
      const { status, stdout, stderr } = check('--gateway', at(path));
      expect(stderr + stdout).not.toContain('warning');
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
