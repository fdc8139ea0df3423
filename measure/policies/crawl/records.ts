import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

type Plain = Record<string, unknown>;

/** Somebody whose record is behind the gateway. */
export interface Subject {
  readonly tenant: 'north' | 'south';
  /** The id of the Patient. The same in both tenants for one of them: an id alone must open nothing. */
  readonly patient: string;
  /** What ids of the record end in. */
  readonly suffix: string;
  /** By which the record can be searched; the crawler knows it. */
  readonly label: string;
  /** In every resource of the record, many times, and nowhere else: in no request either. */
  readonly marker: string;
}

export interface Records {
  /** NDJSON files to load, by tenant. */
  readonly files: Readonly<Record<Subject['tenant'], string>>;
  readonly subjects: readonly Subject[];
  /** In every resource of a tenant that is no patient's. */
  readonly tenantMarkers: Readonly<Record<Subject['tenant'], string>>;
  /** `Type/id` of every resource of a subject's record. */
  readonly owned: ReadonlyMap<Subject, readonly string[]>;
  /** Resource types there are. */
  readonly types: readonly string[];
}

const PEOPLE: readonly (readonly [tenant: Subject['tenant'], patient: string, suffix: string])[] = [
  ['north', 'ada', 'a1'],
  ['north', 'bea', 'b2'],
  ['south', 'ada', 'c3'],
  ['south', 'cyd', 'd4'],
];

/**
 * The published example resources as the records of two patients in each of two tenants: what is about a patient is
 * there once for each of them, with ids of its own and a marker in every text; the rest once for each tenant.
 *
 * @param source NDJSON of FHIR R4 examples
 * @param folder where the files are written
 */
export function writeRecords(source: string, folder: string): Records {
  const resources = readFileSync(source, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Plain);
  const personal = resources.filter((resource) =>
    resource.resourceType === 'Patient'
      ? resource.id === 'example'
      : JSON.stringify(resource).includes('"Patient/'),
  );
  const keys = new Set(personal.map(keyOf));
  const shared = resources.filter(
    (resource) => resource.resourceType !== 'Patient' && !keys.has(keyOf(resource)),
  );
  const subjects = PEOPLE.map(
    ([tenant, patient, suffix]): Subject => ({
      tenant,
      patient,
      suffix,
      label: `label-${suffix}`,
      marker: markerOf(`${tenant} ${patient}`),
    }),
  );
  const tenantMarkers = { north: markerOf('north'), south: markerOf('south') };
  const owned = new Map<Subject, string[]>();
  const files = { north: `${folder}/north.ndjson`, south: `${folder}/south.ndjson` };
  for (const tenant of ['north', 'south'] as const) {
    const lines = shared.map((resource) => JSON.stringify(marked(resource, 'label', tenantMarkers[tenant])));
    const here = subjects.filter((subject) => subject.tenant === tenant);
    for (const subject of here) {
      const ids: string[] = [];
      for (const resource of personal) {
        const own = owning(resource, subject, keys);
        ids.push(keyOf(own));
        lines.push(JSON.stringify(own));
      }
      owned.set(subject, ids);
    }
    // What leads from one record into the other's, though it belongs to one alone.
    for (const [one, other] of [here, [...here].reverse()] as const)
      for (const bridge of bridges(one as Subject, other as Subject)) {
        owned.get(one as Subject)?.push(keyOf(bridge));
        lines.push(JSON.stringify(bridge));
      }
    writeFileSync(files[tenant], `${lines.join('\n')}\n`);
  }
  const types = [...new Set(resources.map((resource) => String(resource.resourceType)))].sort();
  return { files, subjects, tenantMarkers, owned, types };
}

/** Unlikely in anything else, and no word of its own meaning. */
function markerOf(seed: string): string {
  const digest = createHash('sha256').update(seed).update(randomBytes(16)).digest('hex');
  return `Mk${digest.slice(0, 16)}`;
}

function keyOf(resource: Plain): string {
  return `${String(resource.resourceType)}/${String(resource.id)}`;
}

function owning(resource: Plain, subject: Subject, personal: ReadonlySet<string>): Plain {
  const moved = mapped(resource, (name, value) => {
    if (name !== 'reference' || typeof value !== 'string') return value;
    if (/(?:^|\/)Patient\/[^/]+$/.test(value)) return `Patient/${subject.patient}`;
    const key = /([A-Z][A-Za-z]+\/[A-Za-z0-9.-]+)$/.exec(value)?.[1];
    return key !== undefined && personal.has(key) ? `${key}-${subject.suffix}` : value;
  }) as Plain;
  const id =
    resource.resourceType === 'Patient'
      ? subject.patient
      : `${String(resource.id)}-${subject.suffix}`.slice(-64);
  return marked({ ...moved, id }, subject.label, subject.marker);
}

const WORDS: ReadonlySet<string> = new Set([
  'display',
  'text',
  'comment',
  'description',
  'title',
  'name',
  'family',
  'authorString',
]);

/** With the marker in its narrative, its tags and every text for people. */
function marked(resource: Plain, label: string, marker: string): Plain {
  const spread = mapped(resource, (name, value) => {
    if (typeof value !== 'string') return value;
    if (name === 'div') return value.replace(/<\/div>\s*$/, `<p>${label} ${marker}</p></div>`);
    return WORDS.has(name) ? `${value} ${label} ${marker}` : value;
  }) as Plain;
  const meta = (spread.meta ?? {}) as Plain;
  return {
    ...spread,
    meta: { ...meta, tag: [{ system: 'urn:example:marker', code: label, display: marker }] },
  };
}

function mapped(value: unknown, change: (name: string, value: unknown) => unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => mapped(item, change, name));
  if (typeof value !== 'object' || value === null) return change(name, value);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapped(member, change, key)]));
}

/** Resources of one patient that refer to the other's, and texts that name the other. */
function bridges(one: Subject, other: Subject): Plain[] {
  const subject = { reference: `Patient/${one.patient}` };
  const theirs = (type: string, id: string) => ({ reference: `${type}/${id}-${other.suffix}` });
  return [
    {
      resourceType: 'Observation',
      id: `bridge-${one.suffix}`,
      status: 'final',
      code: { text: 'bridge' },
      subject,
      derivedFrom: [theirs('Observation', 'blood-pressure'), theirs('Observation', 'bridge')],
      hasMember: [theirs('Observation', 'example')],
    },
    {
      resourceType: 'DiagnosticReport',
      id: `bridge-${one.suffix}`,
      status: 'final',
      code: { text: 'bridge' },
      subject,
      result: [theirs('Observation', 'bridge'), theirs('Observation', 'example')],
    },
    {
      resourceType: 'Condition',
      id: `bridge-${one.suffix}`,
      code: { text: 'bridge' },
      subject,
      evidence: [{ detail: [theirs('Observation', 'bridge'), theirs('Observation', 'example')] }],
    },
    {
      resourceType: 'List',
      id: `bridge-${one.suffix}`,
      status: 'current',
      mode: 'working',
      subject,
      entry: [{ item: theirs('Observation', 'bridge') }, { item: { reference: `Patient/${other.patient}` } }],
    },
  ].map((resource) => marked(resource, one.label, one.marker));
}
