import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority } from '../../examples/support/local-authority.ts';
import type { BackEnd } from './back-end.ts';
import { probeHttp1, probeHttp2 } from './probe.ts';
import type { RunningSubject, Subject, SubjectContext } from './subject.ts';

/** A subject that runs, has been verified, and may be measured. */
export interface Candidate {
  readonly subject: Subject;
  readonly running: RunningSubject;
}

export interface Lineup {
  readonly candidates: readonly Candidate[];
  /** Subject's name → what is not installed. */
  readonly missing: ReadonlyMap<string, string>;
  /** What is wrong with a subject that runs; it is not measured. */
  readonly problems: readonly string[];
}

/** A token of the usual size that nobody checks: every subject reads as many bytes of header. */
export const UNCHECKED_TOKEN = `e30.${'e30'.repeat(220)}.${'A'.repeat(86)}`;

/** What a client sends with every request. */
export function requestHeaders(token: string): Record<string, string> {
  return {
    accept: 'application/fhir+json',
    'user-agent': 'chartgate-measure',
    authorization: `Bearer ${token}`,
  };
}

interface Certificates {
  readonly authority: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly combinedFile: string;
}

/** One certificate for all of them: ECDSA P-256, for `localhost`. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const authority = await createAuthority('Measurement authority');
  const { certificatePem, keyPem } = await authority.issue({ commonName: 'localhost', hosts: ['localhost'] });
  const files = {
    certificateFile: join(directory, 'certificate.pem'),
    keyFile: join(directory, 'key.pem'),
    combinedFile: join(directory, 'combined.pem'),
  };
  await writeFile(files.certificateFile, certificatePem, { mode: 0o600 });
  await writeFile(files.keyFile, keyPem, { mode: 0o600 });
  await writeFile(files.combinedFile, `${certificatePem}${keyPem}`, { mode: 0o600 });
  return { authority: authority.certificatePem, ...files };
}

/** Starts every subject and proves each to be what it claims. One that cannot start is a problem, not a crash. */
export async function startLineup(
  subjects: readonly Subject[],
  directory: string,
  backEnd: BackEnd,
  core: number | undefined,
  progress: (line: string) => void,
): Promise<Lineup> {
  const certificates = await makeCertificates(directory);
  const candidates: Candidate[] = [];
  const missing = new Map<string, string>();
  const problems: string[] = [];
  for (const subject of subjects) {
    const own = join(directory, subject.name);
    await mkdir(own, { recursive: true });
    const context: SubjectContext = { ...certificates, directory: own, backEnd, core };
    try {
      const started = await subject.start(context);
      if ('missing' in started) {
        missing.set(subject.name, started.missing);
        continue;
      }
      const faults = [...(await started.verify()), ...(await examine(started, backEnd))];
      if (faults.length === 0) candidates.push({ subject, running: started });
      else await started.stop();
      for (const fault of faults) problems.push(`${subject.title}: ${fault}`);
      progress(`${subject.title}: ${faults.length === 0 ? started.version : 'not as it should be'}`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      problems.push(`${subject.title}: could not be started: ${reason}`);
    }
  }
  return { candidates, missing, problems };
}

/** TLS 1.3, status 200 and the back end's own bytes, over each protocol that the subject speaks. */
export async function examine(running: RunningSubject, backEnd: BackEnd): Promise<string[]> {
  const faults: string[] = [];
  const protocols = [
    ['HTTP/1.1', running.http1, probeHttp1],
    ['HTTP/2', running.http2, probeHttp2],
  ] as const;
  for (const [protocol, authority, probe] of protocols) {
    if (authority === undefined) continue;
    try {
      const answer = await probe({
        authority,
        path: backEnd.path,
        trust: running.authority,
        headers: requestHeaders((await running.token()) ?? UNCHECKED_TOKEN),
      });
      if (answer.status !== 200) faults.push(`${protocol}: answered ${answer.status}`);
      else if (!answer.body.equals(backEnd.body)) faults.push(`${protocol}: the body is not the back end's`);
      if (answer.tls !== 'TLSv1.3') faults.push(`${protocol}: negotiated ${answer.tls}, not TLS 1.3`);
    } catch (error) {
      faults.push(`${protocol}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return faults;
}
