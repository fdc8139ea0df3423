import type { Records, Subject } from './records.ts';

/** One request of the crawler, below the base. */
export interface Attempt {
  /** What kind of attempt it is, for the table. */
  readonly kind: string;
  readonly method: string;
  /** As it is sent, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const FHIR = { 'content-type': 'application/fhir+json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const get = (kind: string, path: string, headers?: Record<string, string>): Attempt => ({
  kind,
  method: 'GET',
  path,
  ...(headers === undefined ? {} : { headers }),
});

/** Everything that can be thought of against `other`, by somebody whose own patient is `self`. */
export function* attempts(self: Subject, other: Subject, records: Records): Generator<Attempt> {
  const theirs = records.owned.get(other) ?? [];
  const own = records.owned.get(self) ?? [];
  for (const key of theirs) yield* reads(key);
  for (const key of own) yield* ownReads(key);
  yield get('own', `/Patient/${self.patient}/$everything`);
  yield get('own', `/Patient/${self.patient}/$everything?_type=Observation&_count=500`);
  yield get('own', `/Observation/$lastn?patient=Patient/${self.patient}`);
  for (const type of records.types) yield* searches(type, self, other);
  yield* odd(self, other, theirs);
  yield* system(self, other, theirs);
  yield* posts(self, other, theirs);
  yield* bundles(self, other, theirs);
  yield* writes(self, other, theirs);
}

function* reads(key: string): Generator<Attempt> {
  yield get('read', `/${key}`);
  yield { kind: 'read', method: 'HEAD', path: `/${key}` };
  yield get('vread', `/${key}/_history/1`);
  yield get('history', `/${key}/_history`);
  yield get('read, conditional', `/${key}`, { 'if-none-match': 'W/"1"' });
  yield get('read, a range', `/${key}`, { range: 'bytes=0-400' });
  yield get('read, another form', `/${key}?_format=xml`, { accept: 'application/fhir+xml' });
  yield get('read, elements', `/${key}?_elements=id,text`);
  yield get('operation', `/${key}/$everything`);
  yield get('operation', `/${key}/$meta`);
}

function* ownReads(key: string): Generator<Attempt> {
  const type = key.split('/', 1)[0] ?? '';
  yield get('own', `/${key}`);
  yield get('own', `/${key}/_history`);
  yield get('include', `/${type}?_id=${key.slice(type.length + 1)}&_include=*`);
  yield get('include', `/${type}?_id=${key.slice(type.length + 1)}&_revinclude=*`);
}

function* searches(type: string, self: Subject, other: Subject): Generator<Attempt> {
  const own = self.patient;
  const foreign = other.patient;
  const queries: readonly (readonly [kind: string, query: string])[] = [
    ['search', ''],
    ['search', `patient=${own}`],
    ['search', `patient=${foreign}`],
    ['search', `patient=Patient/${foreign}`],
    ['search', `subject=Patient/${foreign}`],
    ['search', `subject:Patient=${foreign}`],
    ['search', `patient=${own},${foreign}`],
    ['search', `patient=${own}&patient=${foreign}`],
    ['search', `patient=${foreign}&subject=Patient/${own}`],
    ['search', `patient:not=${own}`],
    ['search', `patient:missing=false`],
    ['search', `_tag=${other.label}`],
    ['search', `_content=${other.label}`],
    ['search', `_text=${other.label}`],
    ['search', '_count=200'],
    ['search', '_count=1&_sort=-_lastUpdated'],
    ['search', '_summary=true'],
    ['search', '_summary=data&_total=accurate'],
    ['search', '_summary=count'],
    ['search', '_elements=id,subject'],
    ['search', '_contained=both&_containedType=container'],
    ['search', `_filter=subject%20eq%20%22Patient/${foreign}%22`],
    ['search', `_list=bridge-${self.suffix}`],
    ['search', '_query=everything'],
    ['search', '_format=xml'],
    ['search', `_id:not=nobody`],
    ['chain', `subject:Patient._id=${foreign}`],
    ['chain', `patient.name=chalmers`],
    ['chain', `subject.family=${other.label}`],
    ['chain', `_has:Observation:patient:_id=bridge-${other.suffix}`],
    ['chain', `_has:Observation:subject:status=final`],
    ['include', '_include=*'],
    ['include', '_revinclude=*:*'],
    ['include', `_include=${type}:subject`],
    ['include', `_include=${type}:patient&_include:iterate=*`],
    ['include', '_revinclude=Observation:subject'],
    ['include', '_revinclude:iterate=Provenance:target&_revinclude=List:item'],
    ['include', `_include=${type}:result&_include:iterate=Observation:derived-from`],
    ['include', `_include=${type}:has-member&_include=${type}:derived-from`],
    ['include', `_include=${type}:evidence-detail`],
    ['include', `_include=${type}:item`],
    ['spelling', `PATIENT=${foreign}`],
    ['spelling', `%70atient=${foreign}`],
    ['spelling', `patient%00=${foreign}`],
    ['spelling', `patient[]=${foreign}`],
    ['spelling', `patient.=${foreign}`],
    ['spelling', `+patient=${foreign}`],
    ['spelling', `patient=${own};patient=${foreign}`],
    ['spelling', `patient=${own}%26patient=${foreign}`],
    ['spelling', `patient=${own}%00,${foreign}`],
    ['spelling', `unknown-parameter=${foreign}`],
  ];
  for (const [kind, query] of queries) yield get(kind, `/${type}${query === '' ? '' : `?${query}`}`);
  yield get('history', `/${type}/_history`);
  yield get('compartment', `/Patient/${foreign}/${type}`);
  yield get('compartment', `/Patient/${own}/${type}`);
  yield get('compartment', `/Patient/${own}/${type}?patient=${foreign}`);
  yield get('operation', `/${type}/$everything`);
  yield { kind: 'search', method: 'HEAD', path: `/${type}?patient=${foreign}` };
}

function* odd(self: Subject, other: Subject, theirs: readonly string[]): Generator<Attempt> {
  const [first = ''] = theirs;
  const [type = '', id = ''] = first.split('/');
  const foreign = `Patient/${other.patient}`;
  for (const path of [
    `//${foreign}`,
    `/${foreign}/`,
    `/./${foreign}`,
    `/Patient/${self.patient}/../${other.patient}`,
    `/Patient/${self.patient}/%2e%2e/${other.patient}`,
    `/Patient/${self.patient}%2f..%2f${other.patient}`,
    `/Patient/${self.patient}/..%5c${other.patient}`,
    `/Patient/${self.patient}%00/../../${foreign}`,
    `/Patient;x=1/${other.patient}`,
    `/Patient/${other.patient};v=1`,
    `/patient/${other.patient}`,
    `/PATIENT/${other.patient}`,
    `/%50atient/${other.patient}`,
    `/Patient/%${(other.patient.codePointAt(0) ?? 97).toString(16)}${other.patient.slice(1)}`,
    `/Patient/${other.patient}.`,
    `/Patient/${other.patient}%20`,
    `/Patient/${other.patient}%3F`,
    `/Patient/${other.patient}#`,
    `/Patient//${other.patient}`,
    `/${type}/${id}/_history/1/`,
    `/${type}/${id}/_history/01`,
    `/${type}/${id}/_history/1%2f..`,
    `/${type}/_search?_id=${id}`,
    `/*/${id}`,
    `/Patient/${self.patient}/*`,
    `/Patient/${other.patient}/*`,
    `/../fhir/${foreign}`,
    `/%2e%2e/fhir/${foreign}`,
    `/Binary/${other.patient}`,
  ])
    yield get('spelling', path);
  for (const headers of [
    { 'x-http-method-override': 'GET' },
    { 'x-original-url': `/fhir/${foreign}` },
    { 'x-rewrite-url': `/fhir/${foreign}` },
    { 'x-forwarded-user': other.patient },
    { 'x-forwarded-prefix': `/fhir/${foreign}` },
    { 'x-consent': 'everything', prefer: 'return=representation' },
    { accept: 'text/html' },
    { accept: 'application/xml, */*' },
    { 'accept-encoding': 'gzip, br' },
    { connection: 'authorization' },
  ]) {
    yield get('header', `/Patient/${self.patient}`, headers);
    yield get('header', `/${foreign}`, headers);
  }
}

function* system(self: Subject, other: Subject, theirs: readonly string[]): Generator<Attempt> {
  const query = encodeURIComponent(`{Patient(id:"${other.patient}"){id name{family}} ObservationList{id}}`);
  yield get('system', '/metadata');
  yield get('system', '/_history');
  yield get('system', '/_history?_count=200');
  yield get('system', '');
  yield get('system', '?_type=Patient,Observation');
  yield get(
    'system',
    `?_id=${theirs
      .map((key) => key.split('/')[1])
      .slice(0, 20)
      .join(',')}`,
  );
  yield get('operation', `/$graphql?query=${query}`);
  yield get('operation', `/Patient/$everything`);
  yield get('operation', `/Observation/$lastn?patient=Patient/${other.patient}`);
  yield get('operation', `/Observation/$lastn?patient=Patient/${self.patient}`);
  yield get('operation', '/$export');
  yield get('operation', '/Patient/$export');
  yield {
    kind: 'operation',
    method: 'POST',
    path: '/$graphql',
    headers: FHIR,
    body: JSON.stringify({ query: `{PatientList{id} Patient(id:"${other.patient}"){id}}` }),
  };
}

function* posts(self: Subject, other: Subject, theirs: readonly string[]): Generator<Attempt> {
  const types = [...new Set(theirs.map((key) => key.split('/', 1)[0] ?? ''))];
  for (const type of types) {
    for (const body of [
      '',
      `patient=${other.patient}`,
      `patient=${self.patient}&patient=${other.patient}`,
      `subject=Patient%2F${other.patient}`,
      `_id=${theirs.find((key) => key.startsWith(`${type}/`))?.split('/')[1] ?? ''}`,
      `_include=*&_revinclude=*`,
      `patient=${self.patient};patient=${other.patient}`,
      `PATIENT=${other.patient}`,
    ])
      yield { kind: 'search by form', method: 'POST', path: `/${type}/_search`, headers: FORM, body };
    yield {
      kind: 'search by form',
      method: 'POST',
      path: `/${type}/_search?patient=${other.patient}`,
      headers: FORM,
      body: `patient=${self.patient}`,
    };
    yield {
      kind: 'search by form',
      method: 'POST',
      path: `/${type}/_search`,
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-16' },
      body: `patient=${other.patient}`,
    };
  }
}

type Entry = {
  readonly method: string;
  readonly url: string;
  readonly resource?: object;
  readonly more?: object;
};

function bundle(type: string, entries: readonly Entry[]): string {
  return JSON.stringify({
    resourceType: 'Bundle',
    type,
    entry: entries.map(({ method, url, resource, more }) => ({
      ...(resource === undefined ? {} : { resource }),
      request: { method, url, ...more },
    })),
  });
}

function* bundles(self: Subject, other: Subject, theirs: readonly string[]): Generator<Attempt> {
  const own = `Patient/${self.patient}`;
  for (const type of ['batch', 'transaction']) {
    const send = (entries: readonly Entry[]): Attempt => ({
      kind: 'bundle',
      method: 'POST',
      path: '',
      headers: FHIR,
      body: bundle(type, entries),
    });
    for (const key of theirs) yield send([{ method: 'GET', url: key }]);
    yield send([
      { method: 'GET', url: own },
      { method: 'GET', url: `Patient/${other.patient}` },
    ]);
    for (const url of [
      `/fhir/Patient/${other.patient}`,
      `Observation?patient=${other.patient}`,
      'Observation?_revinclude=*',
      'Observation',
      '_history',
      `Patient/${other.patient}/$everything`,
      `../fhir/Patient/${other.patient}`,
      `Patient/${self.patient}/../${other.patient}`,
      `http://127.0.0.1/fhir/Patient/${other.patient}`,
      `//x/fhir/Patient/${other.patient}`,
      `Patient/%62ea`,
      `$graphql?query=${encodeURIComponent('{PatientList{id}}')}`,
    ])
      yield send([{ method: 'GET', url }]);
    yield send([
      {
        method: 'POST',
        url: '',
        resource: JSON.parse(bundle('batch', [{ method: 'GET', url: `Patient/${other.patient}` }])) as object,
      },
    ]);
    yield send([
      {
        method: 'POST',
        url: 'Patient',
        resource: { resourceType: 'Patient' },
        more: { ifNoneExist: `_id=${other.patient}` },
      },
    ]);
  }
  // A member twice: one reader takes the first, another the last.
  yield {
    kind: 'bundle',
    method: 'POST',
    path: '',
    headers: FHIR,
    body: `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"${own}","url":"Patient/${other.patient}"}}]}`,
  };
}

function* writes(self: Subject, other: Subject, theirs: readonly string[]): Generator<Attempt> {
  const observation = (patient: string) =>
    JSON.stringify({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: `Patient/${patient}` },
    });
  const conditions = [
    `_id=${other.patient}`,
    `_tag=${other.label}`,
    `patient=${other.patient}`,
    `identifier=|${other.label}`,
  ];
  for (const condition of conditions) {
    yield {
      kind: 'conditional write',
      method: 'POST',
      path: '/Patient',
      headers: { ...FHIR, 'if-none-exist': condition },
      body: '{"resourceType":"Patient"}',
    };
    yield {
      kind: 'conditional write',
      method: 'POST',
      path: '/Observation',
      headers: { ...FHIR, 'if-none-exist': condition },
      body: observation(self.patient),
    };
    yield {
      kind: 'conditional write',
      method: 'PUT',
      path: `/Observation?${condition}`,
      headers: FHIR,
      body: observation(self.patient),
    };
    yield { kind: 'conditional write', method: 'DELETE', path: `/Observation?${condition}` };
    yield {
      kind: 'conditional write',
      method: 'PATCH',
      path: `/Observation?${condition}`,
      headers: { 'content-type': 'application/json-patch+json' },
      body: '[{"op":"add","path":"/note","value":[{"text":"x"}]}]',
    };
  }
  yield {
    kind: 'write',
    method: 'POST',
    path: '/Observation',
    headers: FHIR,
    body: observation(other.patient),
  };
  for (const key of theirs) {
    const [type = '', id = ''] = key.split('/');
    yield {
      kind: 'write',
      method: 'PUT',
      path: `/${key}`,
      headers: FHIR,
      body: JSON.stringify({ resourceType: type, id, subject: { reference: `Patient/${self.patient}` } }),
    };
    yield {
      kind: 'write',
      method: 'PATCH',
      path: `/${key}`,
      headers: { 'content-type': 'application/json-patch+json', prefer: 'return=representation' },
      body: `[{"op":"replace","path":"/subject","value":{"reference":"Patient/${self.patient}"}}]`,
    };
    yield {
      kind: 'write',
      method: 'PATCH',
      path: `/${key}`,
      headers: { 'content-type': 'application/json-patch+json' },
      body: '[]',
    };
    yield { kind: 'write', method: 'DELETE', path: `/${key}` };
  }
}
