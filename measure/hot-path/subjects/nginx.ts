import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../examples/support/ports.ts';
import { findProgram } from '../../../examples/support/private-mariadb.ts';
import { launch } from '../../processes.ts';
import { nginxFolders, nginxHead } from '../back-end.ts';
import type { Subject } from '../subject.ts';
import { peer } from './peer.ts';

export const nginx: Subject = {
  name: 'nginx',
  title: 'nginx',
  compiled: false,
  start: async (context) => {
    const program = findProgram('nginx');
    if (program === undefined) return { missing: 'nginx is not installed' };
    const { directory, backEnd } = context;
    const port = await freePort();
    const file = join(directory, 'nginx.conf');
    await writeFile(
      file,
      `${nginxHead(directory, 'nginx')}
http {
  ${nginxFolders(directory)}
  access_log off;
  upstream emr {
    server ${backEnd.host}:${backEnd.port};
    keepalive 64;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} ssl http2;
    server_name localhost;
    ssl_certificate ${context.certificateFile};
    ssl_certificate_key ${context.keyFile};
    ssl_protocols TLSv1.3;
    keepalive_requests 1000000000;
    location / {
      proxy_pass http://emr;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`,
    );
    const running = await launch({
      name: 'nginx',
      command: program,
      args: ['-c', file, '-e', join(directory, 'nginx.error.log')],
      core: context.core,
      log: join(directory, 'output.log'),
      port,
    });
    const version = spawnSync(program, ['-v'], { encoding: 'utf8' }).stderr;
    return peer(context, running, port, `nginx ${/\/([\d.]+)/.exec(version)?.[1] ?? ''}`);
  },
};
