import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../examples/support/ports.ts';
import { findProgram } from '../../../examples/support/private-mariadb.ts';
import { launch, onStop } from '../../processes.ts';
import { probeHttp1 } from '../probe.ts';
import type { Subject, SubjectContext } from '../subject.ts';
import { peer } from './peer.ts';

const MODULES = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/lib/httpd/modules'];
const RECOMMENDED = ['/etc/modsecurity/modsecurity.conf-recommended', '/etc/modsecurity/modsecurity.conf'];
const CORE_RULE_SET = '/usr/share/modsecurity-crs/owasp-crs.load';

/** Apache with what most legacy applications are given as their shield today. */
export const apache: Subject = {
  name: 'apache-modsecurity',
  title: 'Apache + ModSecurity + Core Rule Set',
  compiled: false,
  start: async (context) => {
    const program = findProgram('apache2', 'httpd');
    const modules = MODULES.find((folder) => existsSync(folder));
    if (program === undefined || modules === undefined) return { missing: 'Apache is not installed' };
    const recommended = RECOMMENDED.find((file) => existsSync(file));
    if (!existsSync(join(modules, 'mod_security2.so')) || recommended === undefined) {
      return { missing: 'ModSecurity for Apache (libapache2-mod-security2) is not installed' };
    }
    if (!existsSync(CORE_RULE_SET)) {
      return { missing: 'the Core Rule Set (modsecurity-crs) is not installed' };
    }
    const { directory } = context;
    const port = await freePort();
    const account = await workerAccount();
    const collections = await collectionsFolder(account);
    await writeFile(join(directory, 'modsecurity.conf'), await engineOn(recommended, collections, directory));
    const file = join(directory, 'apache.conf');
    await writeFile(file, configuration(context, modules, port, account));
    const running = await launch({
      name: 'Apache',
      command: program,
      args: ['-D', 'FOREGROUND', '-d', directory, '-f', file],
      core: context.core,
      log: join(directory, 'output.log'),
      port,
    });
    const version = spawnSync(program, ['-v'], { encoding: 'utf8' }).stdout;
    const apacheVersion = `Apache ${/Apache\/([\d.]+)/.exec(version)?.[1] ?? ''}`;
    return peer(context, running, port, `${apacheVersion}, ${await ruleSetVersion()}`, async () =>
      verify(context, port),
    );
  },
};

async function ruleSetVersion(): Promise<string> {
  const rules = join(CORE_RULE_SET, '..', 'rules', 'REQUEST-901-INITIALIZATION.conf');
  const head = await readFile(rules, 'utf8').catch(() => '');
  return `Core Rule Set ${/Core Rule Set ver\.\s*([\d.]+\d)/.exec(head)?.[1] ?? 'of unknown version'}`;
}

/**
 * ModSecurity's collections, where its worker may write whoever it runs as: outside the checkout,
 * which that user may be unable to enter. A folder it cannot write would cost an error for each request.
 */
async function collectionsFolder(account: Account | undefined): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'measure-modsecurity-'));
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  onStop(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Apache refuses to serve as root; started by anybody else it stays who it is. */
async function workerAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['www-data', 'apache', 'nobody']) {
    const found = accounts.find(([name]) => name === wanted);
    if (found !== undefined) return { name: wanted, uid: Number(found[2]), gid: Number(found[3]) };
  }
  return undefined;
}

/** The recommended configuration as the package ships it, but blocking instead of only detecting, and its files here. */
async function engineOn(recommended: string, collections: string, directory: string): Promise<string> {
  const replaced: Readonly<Record<string, string>> = {
    SecRuleEngine: 'On',
    SecTmpDir: collections,
    SecDataDir: collections,
    SecAuditLog: join(directory, 'audit.log'),
    SecUnicodeMapFile: `${join(recommended, '..', 'unicode.mapping')} 20127`,
  };
  return (await readFile(recommended, 'utf8')).replace(/^(Sec\w+) .+$/gm, (line, name: string) =>
    replaced[name] === undefined ? line : `${name} ${replaced[name]}`,
  );
}

function configuration(
  context: SubjectContext,
  modules: string,
  port: number,
  account: Account | undefined,
): string {
  const { directory, backEnd } = context;
  const load = (name: string): string => {
    const file = join(modules, `mod_${name}.so`);
    return existsSync(file) ? `LoadModule ${name}_module ${file}` : '';
  };
  return `ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${join(directory, 'apache.pid')}
DefaultRuntimeDir ${directory}
ErrorLog ${join(directory, 'error.log')}
LogLevel warn
${account === undefined ? '' : `User ${account.name}\nGroup #${account.gid}`}
${['mpm_event', 'unixd', 'authz_core', 'ssl', 'http2', 'proxy', 'proxy_http', 'unique_id'].map(load).join('\n')}
LoadModule security2_module ${join(modules, 'mod_security2.so')}

StartServers 1
ServerLimit 1
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 128
MinSpareThreads 1
MaxSpareThreads 128
MaxConnectionsPerChild 0

KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 3600
Timeout 3600
Protocols h2 http/1.1

SSLEngine on
SSLProtocol -all +TLSv1.3
SSLCertificateFile ${context.certificateFile}
SSLCertificateKeyFile ${context.keyFile}

Include ${join(directory, 'modsecurity.conf')}
Include ${CORE_RULE_SET}

ProxyPreserveHost On
ProxyPass / ${backEnd.origin}/ enablereuse=on max=128 keepalive=on
`;
}

/** The engine must block, or it would be measured doing nothing; an honest request must trip no rule, or it would be measured writing its log. */
async function verify(context: SubjectContext, port: number): Promise<string[]> {
  const ask = (query: string) =>
    probeHttp1({
      authority: `localhost:${port}`,
      path: `${context.backEnd.path}${query}`,
      trust: context.authority,
      headers: { accept: 'application/fhir+json', 'user-agent': 'chartgate-measure' },
    });
  const problems: string[] = [];
  const attack = await ask(`?name=${encodeURIComponent("1' OR '1'='1' UNION SELECT password FROM users--")}`);
  if (attack.status !== 403) problems.push(`ModSecurity is not on: an attack was answered ${attack.status}`);
  const log = join(context.directory, 'error.log');
  const before = (await readFile(log, 'utf8')).length;
  await ask('');
  const complaint = (await readFile(log, 'utf8')).slice(before).trim();
  if (complaint !== '') problems.push(`Apache complains of an honest request: ${complaint.slice(0, 300)}`);
  return problems;
}
