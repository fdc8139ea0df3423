import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LaunchedEmr, launchEmr } from '../../examples/legacy-emr/launch.ts';
import { createEmrAccount, type InstalledEmr, installEmr } from '../../examples/legacy-emr/seed.ts';
import { type PrivateMariadb, startPrivateMariadb } from '../../examples/support/private-mariadb.ts';

export const WORK = join(import.meta.dirname, '..', '..', '.work');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Clinic {
  readonly mariadb: PrivateMariadb;
  readonly installed: InstalledEmr;
  readonly emr: LaunchedEmr;
  readonly passwordFile: string;
  /** Never follows a redirect. */
  ask(path: string, options?: RequestInit & { readonly as?: string }): Promise<Answer>;
  stop(): Promise<void>;
}

/** A private database server, one installation and the EMR's process. */
export async function openClinic(suite: string): Promise<Clinic> {
  const mariadb = await startPrivateMariadb({ directory: join(WORK, suite) });
  try {
    const administrator = await mariadb.connect();
    const installed = await installEmr(administrator, {
      database: 'emr_a',
      clinic: 'Willow Clinic',
      seed: 1,
    });
    await createEmrAccount(administrator, { database: 'emr_a', user: 'emr', password: 'emr password' });
    await administrator.end();
    const passwordFile = join(mariadb.directory, 'emr.password');
    await writeFile(passwordFile, 'emr password\n', { mode: 0o600 });
    const emr = await launchEmr({
      clinic: 'Willow Clinic',
      database: { host: mariadb.host, port: mariadb.port, name: 'emr_a', user: 'emr', passwordFile },
    });
    return {
      mariadb,
      installed,
      emr,
      passwordFile,
      ask: async (path, { as, ...options } = {}) => {
        const headers = new Headers(options.headers);
        if (as !== undefined) headers.set('x-forwarded-user', as);
        const response = await fetch(emr.origin + path, { redirect: 'manual', ...options, headers });
        return { status: response.status, headers: response.headers, text: await response.text() };
      },
      stop: async () => {
        await emr.stop();
        await mariadb.stop();
      },
    };
  } catch (error) {
    await mariadb.stop();
    throw error;
  }
}

/** The parts of FHIR answers that tests look at. */
export interface Fhir {
  readonly resourceType: string;
  readonly id?: string;
  readonly total?: number;
  readonly birthDate?: string;
  readonly status?: string;
  readonly active?: boolean;
  readonly meta?: { readonly versionId: string; readonly lastUpdated: string };
  readonly name?: readonly { readonly family?: string; readonly given?: readonly string[] }[];
  readonly identifier?: readonly { readonly value: string }[];
  readonly generalPractitioner?: readonly unknown[];
  readonly subject?: { readonly reference: string };
  readonly valueQuantity?: { readonly value: number };
  readonly code?: { readonly coding: readonly { readonly code: string }[] };
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly { readonly fullUrl: string; readonly resource: Fhir }[];
  readonly issue?: readonly { readonly code: string; readonly diagnostics: string }[];
  readonly content?: readonly { readonly attachment: { readonly url: string } }[];
}

export function fhir(answer: Answer): Fhir {
  return JSON.parse(answer.text) as Fhir;
}

export function diagnostics(answer: Answer): string {
  return fhir(answer).issue?.[0]?.diagnostics ?? '';
}

export function relation(bundle: Fhir, name: string): string | undefined {
  return bundle.link?.find((link) => link.relation === name)?.url;
}

/** Request options of a FHIR write. */
export function write(method: 'POST' | 'PUT', resource: object): RequestInit {
  return { method, body: JSON.stringify(resource), headers: { 'content-type': 'application/fhir+json' } };
}

export function observationOf(patient: number | string): object {
  return {
    resourceType: 'Observation',
    status: 'final',
    subject: { reference: `Patient/${patient}` },
    code: { coding: [{ system: 'http://loinc.org', code: '8867-4', display: 'Heart rate' }] },
    valueQuantity: { value: 71.5, unit: '/min' },
    effectiveDateTime: '2026-01-02T03:04:05Z',
  };
}
