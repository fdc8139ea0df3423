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
    ['issuer', '64112:64112', 'issuer'],
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
  readonly networks?: readonly string[];
  readonly network_mode?: string;
}

describe('compose.yaml', () => {
  const compose = parse(readFileSync(join(FOLDER, 'compose.yaml'), 'utf8')) as {
    services: Readonly<Record<'gateway' | 'checker' | 'issuer', Service>>;
    networks: Readonly<Record<string, unknown>>;
    volumes: Readonly<Record<string, { driver_opts: { o: string } }>>;
  };
  const { gateway, checker, issuer } = compose.services;

  it.each(['gateway', 'checker', 'issuer'] as const)(
    '%s has no power, no writable root, no way to more',
    (name) => {
      const service = compose.services[name];
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        ulimits: { core: 0 },
        user: of(stage(name), 'USER')[0],
      });
      for (const key of ['privileged', 'cap_add', 'pid', 'ipc', 'userns_mode', 'devices', 'environment'])
        expect(service).not.toHaveProperty(key);
      // None at all, or its own: never the host's or another container's.
      expect(service.network_mode ?? 'none').toBe('none');
    },
  );

  it.each([
    ['gateway', 'checker', ['socket']],
    ['gateway', 'issuer', ['issuer-socket']],
    ['checker', 'issuer', []],
  ] as const)('%s and %s share nothing but %j', (one, other, wanted) => {
    const [left, right] = [compose.services[one], compose.services[other]];
    const sources = ({ volumes }: Service): string[] => volumes.map(({ source }) => source);
    expect(sources(left).filter((source) => sources(right).includes(source))).toEqual(wanted);
    expect((left.networks ?? []).filter((network) => right.networks?.includes(network))).toEqual([]);
  });

  it('no network is left over, and the issuer is on none', () => {
    const used = [gateway, checker, issuer].flatMap(({ networks = [] }) => networks);
    expect(Object.keys(compose.networks).sort()).toEqual(used.sort());
    expect(issuer).toMatchObject({ network_mode: 'none' });
  });

  it.each([
    ['socket', 'checker', 'uid=64111'],
    ['issuer-socket', 'issuer', 'uid=64112'],
  ] as const)("the folder of %s is the %s's, and the gateway can only connect", (volume, owner, uid) => {
    const mounted = (service: Service) => service.volumes.find(({ source }) => source === volume);
    expect(mounted(gateway)?.read_only).toBe(true);
    expect(mounted(gateway)?.target).toBe(mounted(compose.services[owner])?.target);
    expect(compose.volumes[volume]?.driver_opts.o.split(',')).toEqual(
      expect.arrayContaining(['mode=2750', uid, 'gid=64110', 'nosuid', 'noexec']),
    );
  });

  it('settings cannot be written, and only the gateway publishes a port', () => {
    for (const service of [gateway, checker, issuer])
      expect(service.volumes.find(({ target }) => target === '/etc/chartgate')?.read_only).toBe(true);
    for (const service of [checker, issuer]) expect(service).not.toHaveProperty('ports');
  });
});
