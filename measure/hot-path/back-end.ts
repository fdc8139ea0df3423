import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../examples/support/ports.ts';
import { findProgram } from '../../examples/support/private-mariadb.ts';
import { family } from '../machine.ts';
import { launch } from '../processes.ts';

/** Where every subject sends its requests: one record, always the same. */
export interface BackEnd {
  readonly program: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly origin: string;
  /** Path of the record. */
  readonly path: string;
  /** File of the body, and the body. */
  readonly bodyFile: string;
  readonly body: Buffer;
  pids(): readonly number[];
  stop(): Promise<void>;
}

export const RECORD_PATH = '/fhir/Patient/1';

/** A made-up FHIR Patient of about 1.4 KB, the size of a typical answer. */
export function patientRecord(): Buffer {
  const patient = {
    resourceType: 'Patient',
    id: '1',
    meta: { versionId: '7', lastUpdated: '2026-05-04T08:15:30Z' },
    identifier: [
      { use: 'official', system: 'urn:oid:2.16.840.1.113883.19.5', value: 'N-000001' },
      { use: 'secondary', system: 'https://emr.example/ids/chart', value: 'C-20260001' },
    ],
    active: true,
    name: [
      { use: 'official', family: 'Example', given: ['Ada', 'Mirabel'], prefix: ['Dr'] },
      { use: 'usual', given: ['Ada'] },
    ],
    telecom: [
      { system: 'phone', value: '+00 555 0100', use: 'home' },
      { system: 'phone', value: '+00 555 0101', use: 'mobile', rank: 1 },
      { system: 'email', value: 'ada@example.org', use: 'home' },
    ],
    gender: 'female',
    birthDate: '1974-12-25',
    deceasedBoolean: false,
    address: [
      {
        use: 'home',
        type: 'both',
        line: ['1 Example Street', 'Second floor'],
        city: 'Sampletown',
        district: 'North',
        postalCode: '00001',
        period: { start: '2019-03-01' },
      },
    ],
    maritalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M' }],
    },
    contact: [
      {
        relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0131', code: 'N' }] }],
        name: { family: 'Example', given: ['Otto'] },
        telecom: [{ system: 'phone', value: '+00 555 0102' }],
      },
    ],
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en' }] }, preferred: true }],
    generalPractitioner: [{ reference: 'Practitioner/3' }],
    managingOrganization: { reference: 'Organization/1' },
  };
  return Buffer.from(JSON.stringify(patient));
}

/** nginx with one static file where it is installed, so that the back end is not the limit; else Node. */
export async function startBackEnd(
  directory: string,
  core: number | undefined,
  prefer: 'nginx' | 'node' = 'nginx',
): Promise<BackEnd> {
  const body = patientRecord();
  const bodyFile = join(directory, 'www', RECORD_PATH);
  await mkdir(join(bodyFile, '..'), { recursive: true });
  await writeFile(bodyFile, body);
  const port = await freePort();
  const nginx = prefer === 'nginx' ? findProgram('nginx') : undefined;
  const running =
    nginx === undefined
      ? await launch({
          name: 'back end (Node)',
          command: process.execPath,
          args: [join(import.meta.dirname, 'servers', 'back-end.ts'), String(port), bodyFile],
          core,
          log: join(directory, 'back-end.log'),
          port,
        })
      : await startNginx(nginx, directory, port, core);
  return {
    program: nginx === undefined ? 'Node' : 'nginx',
    host: '127.0.0.1',
    port,
    origin: `http://127.0.0.1:${port}`,
    path: RECORD_PATH,
    bodyFile,
    body,
    pids: () => family(running.pid),
    stop: running.stop,
  };
}

async function startNginx(program: string, directory: string, port: number, core: number | undefined) {
  const configuration = join(directory, 'back-end.conf');
  await writeFile(
    configuration,
    `${nginxHead(directory, 'back-end')}
http {
  ${nginxFolders(directory)}
  access_log off;
  server {
    listen 127.0.0.1:${port};
    root ${join(directory, 'www')};
    default_type application/fhir+json;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    open_file_cache max=16;
    open_file_cache_valid 1h;
  }
}
`,
  );
  return launch({
    name: 'back end (nginx)',
    command: program,
    args: ['-c', configuration, '-e', join(directory, 'back-end.error.log')],
    core,
    log: join(directory, 'back-end.log'),
    port,
  });
}

/** One worker, in the foreground, as the user who started it. */
export function nginxHead(directory: string, name: string): string {
  return `daemon off;
${process.getuid?.() === 0 ? 'user root root;' : ''}
worker_processes 1;
pid ${join(directory, `${name}.pid`)};
error_log ${join(directory, `${name}.error.log`)} warn;
events { worker_connections 2048; }`;
}

/** nginx wants its folders for spooled bodies even where it never needs them. */
export function nginxFolders(directory: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(directory, `${kind}-temp`)};`)
    .join('\n  ');
}
