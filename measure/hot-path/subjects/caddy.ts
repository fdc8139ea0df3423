import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../examples/support/ports.ts';
import { findProgram } from '../../../examples/support/private-mariadb.ts';
import { launch } from '../../processes.ts';
import type { Subject } from '../subject.ts';
import { peer } from './peer.ts';

export const caddy: Subject = {
  name: 'caddy',
  title: 'Caddy',
  compiled: false,
  start: async (context) => {
    const program = findProgram('caddy');
    if (program === undefined) return { missing: 'Caddy is not installed' };
    const { directory, backEnd } = context;
    const port = await freePort();
    const file = join(directory, 'Caddyfile');
    await writeFile(
      file,
      `{
  admin off
  auto_https off
  servers {
    protocols h1 h2
  }
}
https://localhost:${port} {
  bind 127.0.0.1
  tls ${context.certificateFile} ${context.keyFile} {
    protocols tls1.3
  }
  reverse_proxy ${backEnd.origin} {
    transport http {
      keepalive 1h
      keepalive_idle_conns 64
      keepalive_idle_conns_per_host 64
    }
  }
}
`,
    );
    const running = await launch({
      name: 'Caddy',
      command: program,
      args: ['run', '--config', file, '--adapter', 'caddyfile'],
      core: context.core,
      log: join(directory, 'output.log'),
      port,
      // One core, one thread of Go code; and nothing written outside the work folder.
      environment: { GOMAXPROCS: '1', HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
    });
    const version = spawnSync(program, ['version'], { encoding: 'utf8' }).stdout;
    return peer(context, running, port, `Caddy ${/v?([\d.]+)/.exec(version)?.[1] ?? ''}`);
  },
};
