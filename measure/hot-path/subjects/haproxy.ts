import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../examples/support/ports.ts';
import { findProgram } from '../../../examples/support/private-mariadb.ts';
import { launch } from '../../processes.ts';
import type { Subject } from '../subject.ts';
import { peer } from './peer.ts';

export const haproxy: Subject = {
  name: 'haproxy',
  title: 'HAProxy',
  compiled: false,
  start: async (context) => {
    const program = findProgram('haproxy');
    if (program === undefined) return { missing: 'HAProxy is not installed' };
    const { directory, backEnd } = context;
    const port = await freePort();
    const file = join(directory, 'haproxy.cfg');
    await writeFile(
      file,
      `global
  nbthread 1
  maxconn 2048
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
frontend gateway
  bind 127.0.0.1:${port} ssl crt ${context.combinedFile} alpn h2,http/1.1
  default_backend emr
backend emr
  server emr ${backEnd.host}:${backEnd.port} pool-max-conn 64
`,
    );
    const running = await launch({
      name: 'HAProxy',
      command: program,
      args: ['-db', '-f', file],
      core: context.core,
      log: join(directory, 'output.log'),
      port,
    });
    const version = spawnSync(program, ['-v'], { encoding: 'utf8' }).stdout;
    return peer(context, running, port, `HAProxy ${/version ([\d.]+)/.exec(version)?.[1] ?? ''}`);
  },
};
