import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

/** The container files cannot be built here; these are the rules that a linter for them would apply, and ours. */

const FOLDER = join(import.meta.dirname, '../../deploy/container');
const text = readFileSync(join(FOLDER, 'Containerfile'), 'utf8');

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Instructions with continued lines joined and comments gone. */
const instructions: readonly Instruction[] = text
  .split('\n')
  .filter((line) => !/^\s*#/.test(line))
  .join('\n')
  .replace(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });

interface Stage {
  readonly name: string;
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

const stages: Stage[] = [];
for (const each of instructions) {
  if (each.name === 'FROM') {
    const [from = '', , name = ''] = each.rest.split(/\s+/);
    stages.push({ name, from, instructions: [] });
  } else (stages.at(-1)?.instructions as Instruction[] | undefined)?.push(each);
}
const stage = (name: string): Stage => {
  const found = stages.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no stage ${name}`);
  return found;
};
const of = (where: Stage, name: string): string[] =>
  where.instructions.filter((each) => each.name === name).map((each) => each.rest);

describe('the Containerfile', () => {
  it('has only instructions that exist, each understood', () => {
    const known = [
      'ARG',
      'FROM',
      'WORKDIR',
      'COPY',
      'RUN',
      'ENTRYPOINT',
      'CMD',
      'USER',
      'EXPOSE',
      'HEALTHCHECK',
    ];
    expect(instructions.filter(({ name }) => !known.includes(name))).toEqual([]);
  });

  it('builds on nothing that a tag could change: the base must be given, and is asked for by digest', () => {
    const outside = stages
      .map(({ from }) => from)
      .filter((from) => !stages.some(({ name }) => name === from));
    expect(new Set(outside)).toEqual(new Set([`\${BASE_IMAGE}`]));
    expect(instructions.filter(({ name }) => name === 'ARG')).toEqual([{ name: 'ARG', rest: 'BASE_IMAGE' }]);
    expect(text).toMatch(/BASE_IMAGE=\S+@sha256:/);
  });

  it('fetches nothing by itself but what npm checks against the package', () => {
    for (const { name, rest } of instructions) {
      expect(name).not.toBe('ADD');
      if (name === 'RUN') expect(rest).not.toMatch(/\b(curl|wget|apt-get|apk|sudo|chmod 777)\b/);
      if (name === 'RUN' && rest.includes('npm install')) expect(rest).toContain('--ignore-scripts');
    }
  });

  it('has no secret in it, nor a place for one', () => {
    for (const { name, rest } of instructions) {
      expect(['ENV', 'LABEL']).not.toContain(name);
      expect(rest).not.toMatch(/(PASSWORD|SECRET|TOKEN|KEY)\s*=|\.pem|\.secret|npmrc/i);
    }
    // The build is handed the tarball and nothing else of the folder.
    expect(readFileSync(join(FOLDER, '.dockerignore'), 'utf8')).toBe('*\n!chartgate.tgz\n');
  });

  it.each([
    ['gateway', '64110:64110', 'start'],
    ['checker', '64111:64111', 'checker'],
  ])(
    '%s runs as a user of its own that is not root, in exec form, with a health check',
    (name, user, command) => {
      const image = stage(name);
      expect(of(image, 'USER')).toEqual([user]);
      expect(of(image, 'RUN')).toEqual([]);
      expect(of(image, 'COPY')).toEqual([]);
      expect(JSON.parse(of(image, 'CMD')[0] ?? '')).toContain(command);
      expect(of(image, 'HEALTHCHECK')[0]).toMatch(/^--interval=\d+s --timeout=\d+s --retries=\d+ CMD \[/);
      expect(Array.isArray(JSON.parse(of(stage(image.from), 'ENTRYPOINT')[0] ?? ''))).toBe(true);
    },
  );
});

interface Service {
  readonly [key: string]: unknown;
  readonly volumes: readonly { type: string; source: string; target: string; read_only?: boolean }[];
  readonly networks: readonly string[];
}

describe('compose.yaml', () => {
  const compose = parse(readFileSync(join(FOLDER, 'compose.yaml'), 'utf8')) as {
    services: Readonly<Record<'gateway' | 'checker', Service>>;
    networks: Readonly<Record<string, unknown>>;
    volumes: Readonly<Record<string, { driver_opts: { o: string } }>>;
  };
  const { gateway, checker } = compose.services;

  it.each(['gateway', 'checker'] as const)('%s has no power, no writable root, no way to more', (name) => {
    const service = compose.services[name];
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      ulimits: { core: 0 },
      user: of(stage(name), 'USER')[0],
    });
    for (const key of [
      'privileged',
      'cap_add',
      'pid',
      'ipc',
      'network_mode',
      'userns_mode',
      'devices',
      'environment',
    ])
      expect(service).not.toHaveProperty(key);
  });

  it('the two share the socket and nothing else', () => {
    const shared = gateway.volumes.filter(({ source }) =>
      checker.volumes.some((each) => each.source === source),
    );
    expect(shared.map(({ source }) => source)).toEqual(['socket']);
    expect(gateway.networks.filter((network) => checker.networks.includes(network))).toEqual([]);
    expect(Object.keys(compose.networks).sort()).toEqual([...gateway.networks, ...checker.networks].sort());
  });

  it("the socket's folder is the checker's, and the gateway can only connect", () => {
    expect(gateway.volumes.find(({ source }) => source === 'socket')?.read_only).toBe(true);
    expect(compose.volumes.socket?.driver_opts.o.split(',')).toEqual(
      expect.arrayContaining(['mode=2750', 'uid=64111', 'gid=64110', 'nosuid', 'noexec']),
    );
  });

  it('settings cannot be written, and the checker publishes no port', () => {
    for (const service of [gateway, checker])
      expect(service.volumes.find(({ target }) => target === '/etc/chartgate')?.read_only).toBe(true);
    expect(checker).not.toHaveProperty('ports');
  });
});
