import { describe, expect, it } from 'vitest';
import type { Content } from '../../../contracts/content.ts';
import type { RequestFacts } from '../../../contracts/facts.ts';
import type { GuardThresholds } from '../../../contracts/limits.ts';
import type { RouteMatch } from '../../../contracts/policy.ts';
import { patientsNamed, patientsOfContent } from '../../../gateway/guard/patients.ts';
import { levelOf, thresholdsOf } from '../../../gateway/guard/thresholds.ts';

const steps = (slow: number, stepUp: number, lock: number) => ({ slow, stepUp, lock });
const thresholds = (n: number): GuardThresholds => ({
  misses: steps(n, 2 * n, 3 * n),
  patients: steps(10 * n, 20 * n, 30 * n),
});
const settings = {
  patient: thresholds(1),
  person: thresholds(2),
  system: thresholds(3),
  roles: new Map([
    ['physician', thresholds(5)],
    ['auditor', { misses: steps(1, 1, 1), patients: steps(1000, 1000, 1000) }],
  ]),
};
const principal = (more: {
  scopes?: string[];
  patient?: string;
  roles?: string[];
  kind?: 'bearer' | 'session';
}) => ({
  kind: more.kind ?? ('bearer' as const),
  scopes: new Set(more.scopes ?? []),
  patient: more.patient,
  roles: more.roles === undefined ? undefined : new Set(more.roles),
});

describe('what is unusual', () => {
  it.each([
    ['a token for one patient', { patient: '7', scopes: ['patient/*.rs'] }, 1],
    ['a person', { scopes: ['user/*.rs'] }, 2],
    ['somebody at a browser', { kind: 'session' as const, scopes: ['system/*.rs'] }, 2],
    ['an app without a person', { scopes: ['system/Patient.rs'] }, 3],
    ['system scopes beside a person’s', { scopes: ['system/Patient.rs', 'user/Patient.r'] }, 2],
    ['no scope at all', {}, 2],
    ['a role that is listed', { scopes: ['user/*.rs'], roles: ['physician'] }, 5],
    ['a role that is not', { scopes: ['user/*.rs'], roles: ['porter'] }, 2],
    ['a role, though a patient too', { patient: '7', roles: ['physician'] }, 5],
  ])('%s', (_, who, n) => {
    expect(thresholdsOf(principal(who), settings)).toEqual(thresholds(n));
  });

  it('is, of several roles, the most generous of each', () => {
    expect(thresholdsOf(principal({ roles: ['auditor', 'physician'] }), settings)).toEqual({
      misses: steps(5, 10, 15),
      patients: steps(1000, 1000, 1000),
    });
  });

  it.each([
    [{ misses: 0, patients: 0 }, 'none'],
    [{ misses: 1, patients: 19 }, 'none'],
    [{ misses: 2, patients: 0 }, 'slow'],
    [{ misses: 0, patients: 20 }, 'slow'],
    [{ misses: 4, patients: 0 }, 'step-up'],
    [{ misses: 1, patients: 60 }, 'lock'],
    [{ misses: 6, patients: 0 }, 'lock'],
  ])('%j is level %s', (seen, level) => {
    expect(levelOf(seen, thresholds(2))).toBe(level);
  });
});

describe('patients that a request names', () => {
  const facts = (path: string, query = '') => {
    const parameters = new Map<string, string[]>();
    for (const [name, value] of new URLSearchParams(query))
      parameters.set(name, [...(parameters.get(name) ?? []), value]);
    const text = path.slice(1);
    return {
      path: { text: path, segments: text === '' ? [] : text.split('/') },
      parameters,
    } as unknown as Pick<RequestFacts, 'path' | 'parameters'>;
  };
  const at = (patientAt: { segment: number } | { parameter: string } | undefined) =>
    ({ route: { patientAt } }) as unknown as RouteMatch;

  it.each([
    ['nothing', '/', '', []],
    ['a search of everything', '/fhir/Patient', '', []],
    ['a read', '/fhir/Patient/7', '', ['7']],
    ['a version of it', '/fhir/Patient/7/_history/2', '', ['7']],
    ['a compartment', '/fhir/Patient/7/Observation', '', ['7']],
    ['an operation on all of them', '/fhir/Patient/$everything', '', []],
    ['an interaction', '/fhir/Patient/_search', '', []],
    ['a reference', '/fhir/Observation', 'patient=Patient/7', ['7']],
    ['an id', '/fhir/Observation', 'patient=7', ['7']],
    ['a type as a modifier', '/fhir/Observation', 'subject:Patient=7', ['7']],
    ['an absolute reference', '/fhir/Observation', 'subject=https://x.example/fhir/Patient/7', ['7']],
    ['several', '/fhir/Observation', 'patient=7,Patient/8&patient=9', ['7', '8', '9']],
    ['the same twice', '/fhir/Patient/7/Observation', 'patient=Patient/7', ['7']],
    ['a list of ids', '/fhir/Patient', '_id=7,8', ['7', '8']],
    ['an identifier', '/fhir/Patient', 'identifier=mrn|123', ['mrn|123']],
    ['ids of something else', '/fhir/Observation', '_id=7,8', []],
    ['a chained id', '/fhir/Observation', 'patient.identifier=123', ['123']],
    ['the parameter of a page', '/interface/patient_file.php', 'pid=7', ['7']],
    ['with a dot, an underscore to PHP', '/interface/demographics.php', 'set.pid=7', ['7']],
    ['with a space, another', '/interface/demographics.php', 'set%20pid=7', ['7']],
    ['with a bracket that nothing closes, another', '/interface/demographics.php', 'set%5Bpid=7', ['7']],
    ['as a list', '/interface/demographics.php', 'set_pid[]=7&set_pid[1]=8', ['7', '8']],
    ['in capitals, for ASP.NET', '/chart.aspx', 'PatientID=7', ['7']],
    ['cut at an open bracket, for Rack', '/chart', 'pid[x=7', ['7']],
    ['a name that only begins so', '/chart', 'pidgin=7&subjects=8', []],
  ])('%s: %s?%s', (_, path, query, ids) => {
    expect(patientsNamed(facts(path, query), undefined)).toEqual(ids);
  });

  it('are those that the route’s own rule names', () => {
    expect(patientsNamed(facts('/charts/44/notes'), at({ segment: 1 }))).toEqual(['44']);
    expect(patientsNamed(facts('/chart.php', 'chart=44&other=3'), at({ parameter: 'chart' }))).toEqual([
      '44',
    ]);
    expect(patientsNamed(facts('/charts'), at({ segment: 1 }))).toEqual([]);
  });

  it.each(['chart_id', 'chart.id', 'chart id', 'Chart_ID', 'chart[id', 'chart_id[]', 'chart_id[x'])(
    'are the same when it is spelled %j',
    (name) => {
      const query = new URLSearchParams([[name, '44']]).toString();
      expect(patientsNamed(facts('/chart.php', query), at({ parameter: 'chart_id' }))).toEqual(['44']);
    },
  );

  it('are at most a thousand of one request', () => {
    const ids = Array.from({ length: 5000 }, (_, n) => n).join(',');
    expect(patientsNamed(facts('/fhir/Observation', `patient=${ids}`), undefined)).toHaveLength(1000);
  });
});

describe('patients that a body names', () => {
  const common = { bytes: Buffer.alloc(0), mediaType: '' };
  const form = (...fields: [string, string[]][]): Content => ({
    ...common,
    kind: 'form',
    fields: new Map(fields),
  });
  const multipart = (...parts: [name: string, text: string, fileName?: string][]): Content => ({
    ...common,
    kind: 'multipart',
    parts: parts.map(([name, value, fileName]) => ({
      name,
      fileName,
      mediaType: undefined,
      bytes: Buffer.from(value),
    })),
  });
  it.each<[string, Content, string[]]>([
    ['a form', form(['patient', ['7', 'Patient/8']]), ['7', '8']],
    ['a form, spelled otherwise', form(['set.pid', ['7']], ['SET_PID', ['8']]), ['7', '8']],
    ['a form of parts', multipart(['set_pid', '7'], ['note', '8']), ['7']],
    ['a form of parts, spelled otherwise', multipart(['set[pid', '7']), ['7']],
    ['a file of that name', multipart(['pid', '7', 'scan.png']), []],
    ['a document', { ...common, kind: 'json', value: { pid: '7' } }, []],
  ])('%s', (_what, content, ids) => {
    expect(patientsOfContent(content, [])).toEqual(ids);
  });

  it('are at most a thousand, and the longest form there may be is looked through at once', () => {
    const many = Array.from({ length: 1000 }, (_, n) => String(n)).join(',');
    const fields = form(...Array.from({ length: 500 }, (_, n): [string, string[]] => [`pid[${n}]`, [many]]));
    expect(patientsOfContent(fields, [])).toHaveLength(1000);
    // A line end at the end of a million slashes, which a regular expression would begin anew at each of them.
    const slashes = form(['patient', [`${'Patient/x/'.repeat(1_000_000)}\n`]]);
    const began = performance.now();
    expect(patientsOfContent(slashes, [])).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
