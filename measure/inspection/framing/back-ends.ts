import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../examples/support/ports.ts';
import { findProgram } from '../../../examples/support/private-mariadb.ts';
import { launch, onStop } from '../../processes.ts';

export const BACK_ENDS = ['node', 'nginx', 'apache', 'haproxy'] as const;
export type BackEndName = (typeof BACK_ENDS)[number];

/** A request as the server behind understood it. */
export interface Seen {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** A real server that answers, and remembers what it took for requests. */
export interface BackEnd {
  readonly name: BackEndName;
  readonly origin: string;
  /** Everything, with every field, as it reached the last server. */
  readonly seen: readonly Seen[];
  /** Lines of the server's own access log, as `METHOD TARGET VERSION|REQUEST-ID|USER`; empty where it keeps none. */
  accessLog(): readonly string[];
}

/** Starts one, or says what it is missing. The three that are proxies themselves pass on to a recorder behind them. */
export async function startBackEnd(
  name: BackEndName,
  directory: string,
): Promise<BackEnd | { readonly missing: string }> {
  const seen: Seen[] = [];
  const recorder = await startRecorder(seen);
  const address = recorder.address();
  const behind = typeof address === 'object' && address !== null ? address.port : 0;
  if (name === 'node') {
    return { name, origin: `http://127.0.0.1:${behind}`, seen, accessLog: () => [] };
  }
  const port = await freePort();
  const log = join(directory, `${name}.access.log`);
  await writeFile(log, '', { mode: 0o666 });
  const made = COMMANDS[name](directory, port, behind, log);
  const program = findProgram(...made.programs);
  if (program === undefined) return { missing: `${name} is not installed` };
  await writeFile(made.file, made.configuration);
  await launch({
    name,
    command: program,
    args: made.args,
    core: undefined,
    log: made.output ?? join(directory, `${name}.output.log`),
    port,
  });
  const lines = () =>
    readFileSync(made.output ?? log, 'utf8')
      .split('\n')
      .filter((line) => line.includes('|'));
  // Whether it accepts connections was tried already, which some write down too.
  await sleep(200);
  const before = lines().length;
  const accessLog = () => lines().slice(before);
  return { name, origin: `http://127.0.0.1:${port}`, seen, accessLog };
}

async function startRecorder(seen: Seen[]): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      seen.push({
        method: request.method ?? '',
        target: request.url ?? '',
        rawHeaders: request.rawHeaders,
        body: Buffer.concat(chunks).toString('latin1'),
      });
      response.writeHead(200, { 'content-type': 'application/fhir+json' });
      response.end('{"resourceType":"Patient","id":"1"}');
    });
  });
  server.on('upgrade', (request, socket) => {
    seen.push({ method: 'UPGRADE', target: request.url ?? '', rawHeaders: request.rawHeaders, body: '' });
    socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What Node's parser could not read; a connection that broke off says nothing.
    if (error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE')
      seen.push({ method: 'MALFORMED', target: '', rawHeaders: [], body: '' });
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onStop(async () => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

interface Command {
  readonly programs: readonly string[];
  readonly args: readonly string[];
  readonly file: string;
  readonly configuration: string;
  /** Where its log goes when it is its output. */
  readonly output?: string;
}

const APACHE_MODULES = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/lib/httpd/modules'];

const COMMANDS: Readonly<
  Record<
    Exclude<BackEndName, 'node'>,
    (directory: string, port: number, behind: number, log: string) => Command
  >
> = {
  nginx(directory, port, behind, log) {
    const file = join(directory, 'nginx.conf');
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${join(directory, `nginx-${kind}`)};`)
      .join(' ');
    return {
      programs: ['nginx'],
      args: ['-p', directory, '-c', file, '-e', join(directory, 'nginx.error.log'), '-g', 'daemon off;'],
      file,
      configuration: `${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
events { worker_connections 256; }
http {
  ${temporary}
  log_format seen escape=json '$request|$http_x_request_id|$http_x_forwarded_user';
  access_log ${log} seen;
  upstream recorder { server 127.0.0.1:${behind}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    underscores_in_headers on;
    ignore_invalid_headers off;
    merge_slashes off;
    location / {
      proxy_pass http://recorder;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_pass_request_headers on;
    }
  }
}
`,
    };
  },
  apache(directory, port, behind, log) {
    const file = join(directory, 'apache.conf');
    const modules = APACHE_MODULES.find((folder) => existsSync(folder)) ?? APACHE_MODULES[0];
    const load = ['mpm_event', 'unixd', 'authz_core', 'proxy', 'proxy_http', 'log_config']
      .filter((name) => existsSync(`${modules}/mod_${name}.so`))
      .map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`)
      .join('\n');
    return {
      programs: ['apache2', 'httpd'],
      args: ['-D', 'FOREGROUND', '-d', directory, '-f', file],
      file,
      configuration: `ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${join(directory, 'apache.pid')}
DefaultRuntimeDir ${directory}
ErrorLog ${join(directory, 'apache.error.log')}
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
${load}
LogFormat "%r|%{X-Request-Id}i|%{X-Forwarded-User}i" seen
CustomLog ${log} seen
HttpProtocolOptions Unsafe
AllowEncodedSlashes NoDecode
KeepAlive On
MaxKeepAliveRequests 0
ProxyPreserveHost On
ProxyPass / http://127.0.0.1:${behind}/ enablereuse=on keepalive=on nocanon
`,
    };
  },
  haproxy(directory, port, behind) {
    const file = join(directory, 'haproxy.cfg');
    return {
      programs: ['haproxy'],
      args: ['-f', file, '-db'],
      file,
      output: join(directory, 'haproxy.output.log'),
      configuration: `global
  log stdout format raw local0 info
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  log global
  option http-keep-alive
  option accept-invalid-http-request
frontend seen
  bind 127.0.0.1:${port}
  http-request capture req.hdr(x-request-id) len 64
  http-request capture req.hdr(x-forwarded-user) len 64
  log-format "%r|%[capture.req.hdr(0)]|%[capture.req.hdr(1)]"
  default_backend recorder
backend recorder
  server recorder 127.0.0.1:${behind}
`,
    };
  },
};

/** For whoever looks at a finding. */
export function note(directory: string, line: string): void {
  appendFileSync(join(directory, 'findings.txt'), `${line}\n`);
}
