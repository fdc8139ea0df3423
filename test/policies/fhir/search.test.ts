import { describe, expect, it } from 'vitest';
import {
  answerTo,
  observation,
  outcomeOf,
  patientA,
  releasedIds,
  searchset,
  sentQuery,
  staff,
} from './support.ts';

const ALL = patientA('patient/*.cruds');

describe('a search with a patient/ scope', () => {
  it.each([
    // [what is asked for, what reaches the EMR, why]
    ['GET /fhir/Observation', 'patient=a', 'the own patient is added'],
    ['GET /fhir/Observation?code=1', 'patient=a&code=1', 'before what the client asks'],
    ['GET /fhir/Observation?patient=a', 'patient=a', 'named already, once'],
    ['GET /fhir/Observation?patient=Patient/a', 'patient=a', 'in another form'],
    ['GET /fhir/Observation?patient:Patient=a', 'patient=a', 'by the modifier of the type'],
    [
      'GET /fhir/Observation?patient=https://clinic.example/fhir/Patient/a',
      'patient=a',
      'as an absolute reference',
    ],
    [
      'GET /fhir/Observation?subject=Patient/a',
      'patient=a&subject=Patient/a',
      'the subject is looked at, and kept',
    ],
    ['GET /fhir/Patient', '_id=a', 'at most the own record'],
    ['GET /fhir/Patient?name=Smith', '_id=a&name=Smith', 'which is found or not'],
    ['GET /fhir/Patient?_id=a', '_id=a', 'named already'],
    ['GET /fhir/Group', 'member=Patient/a', 'a parameter of several types gets the type'],
    ['GET /fhir/Coverage', 'patient=a', 'by the parameter of the definitions'],
    ['GET /fhir/Observation?_format=xml&_pretty=true', 'patient=a', 'answers are judged as JSON'],
    [
      'GET /fhir/Observation?_elements=status&_summary=true&_total=accurate',
      'patient=a',
      'answers that were cut cannot be judged',
    ],
    [
      'GET /fhir/Observation?_summary=count&_count=5',
      'patient=a&_count=1000',
      'a number is counted among what may be seen',
    ],
    [
      'GET /fhir/Observation?_count=5&_sort=-date,code',
      'patient=a&_count=5&_sort=-date,code',
      'pages and order are kept',
    ],
    [
      'GET /fhir/Observation?date=ge2020&date=lt2021',
      'patient=a&date=ge2020&date=lt2021',
      'a parameter that is there twice, too',
    ],
    [
      'GET /fhir/Observation?code:not=1&performer:Practitioner=p',
      'patient=a&code:not=1&performer:Practitioner=p',
      'modifiers that only compare',
    ],
    [
      'GET /fhir/Observation?_include=Observation:subject&_include:iterate=Patient:general-practitioner',
      'patient=a&_include=Observation:subject&_include:iterate=Patient:general-practitioner',
      'includes: the answer is judged',
    ],
    [
      'GET /fhir/Observation?_revinclude=Provenance:target',
      'patient=a&_revinclude=Provenance:target',
      'reverse includes: the same',
    ],
    ['GET /fhir/Observation?patient.name=Smith', 'patient=a&patient.name=Smith', 'a chain to the own record'],
  ])('%s becomes %s: %s', (line, sent) => {
    expect(sentQuery(line, ALL)).toBe(sent);
  });

  it.each([
    ['GET /fhir/Observation?patient=b', 'record-hidden patient-mismatch', "another patient's record"],
    ['GET /fhir/Observation?patient=Patient/b', 'record-hidden patient-mismatch', 'in any form'],
    ['GET /fhir/Observation?patient=a,b', 'record-hidden patient-mismatch', 'among others'],
    ['GET /fhir/Observation?subject=Patient/b', 'record-hidden patient-mismatch', 'by the subject'],
    ['GET /fhir/Observation?subject=b', 'record-hidden patient-mismatch', 'as a bare id'],
    ['GET /fhir/Patient?_id=b', 'record-hidden patient-mismatch', 'by its id'],
    ['GET /fhir/Patient?_id=a,b', 'record-hidden patient-mismatch', 'by a list of ids'],
    [
      'GET /fhir/Observation?patient=a&patient=b',
      'insufficient-scope search-unsupported',
      'servers read one or the other',
    ],
    [
      'GET /fhir/Observation?patient=a&patient:Patient=b',
      'record-hidden patient-mismatch',
      'twice in different words',
    ],
    [
      'GET /fhir/Observation?patient=https://elsewhere.example/fhir/Patient/a',
      'insufficient-scope search-unsupported',
      'a patient of another server',
    ],
    ['GET /fhir/Observation?patient[]=b', 'insufficient-scope search-unsupported', "PHP's lists"],
    [
      'GET /fhir/Observation?Patient=b',
      'insufficient-scope search-unsupported',
      'names that only look alike',
    ],
    [
      'GET /fhir/Observation?patient:missing=true',
      'insufficient-scope search-unsupported',
      'modifiers that undo the narrowing',
    ],
    [
      'GET /fhir/Observation?patient:identifier=x|1',
      'insufficient-scope search-unsupported',
      'logical references',
    ],
    [
      'GET /fhir/Observation?performer:Patient.name=Jones',
      'insufficient-scope search-unsupported',
      'a chain finds out about somebody else',
    ],
    [
      'GET /fhir/Observation?subject:Patient.general-practitioner.name=X',
      'insufficient-scope search-unsupported',
      'a chain of two steps',
    ],
    [
      'GET /fhir/Observation?performer.name=X',
      'insufficient-scope search-unsupported',
      'a chain to no type in particular',
    ],
    [
      'GET /fhir/Patient?_has:Observation:patient:code=1',
      'insufficient-scope search-unsupported',
      'a reverse chain',
    ],
    [
      'GET /fhir/Observation?_filter=patient eq b',
      'insufficient-scope search-unsupported',
      'a language of its own',
    ],
    ['GET /fhir/Observation?_query=everything', 'insufficient-scope search-unsupported', 'a named query'],
    ['GET /fhir/Observation?_list=l', 'insufficient-scope search-unsupported', 'somebody else’s list'],
    [
      'GET /fhir/Observation?_contained=both',
      'insufficient-scope search-unsupported',
      'contained resources as results',
    ],
    [
      'GET /fhir/Observation?_sort=patient.name',
      'insufficient-scope search-unsupported',
      'an order by a chain',
    ],
    [
      'GET /fhir/Observation?_include=Observation:nothing',
      'insufficient-scope search-unsupported',
      'an include of no parameter',
    ],
    [
      'GET /fhir/Observation?_include=Nothing:subject',
      'insufficient-scope search-unsupported',
      'an include of no type',
    ],
    ['GET /fhir/Observation?_type=Patient', 'insufficient-scope search-unsupported', 'other types'],
    [
      'GET /fhir/Observation?organization=o',
      'insufficient-scope search-unsupported',
      'a parameter that Observation has not',
    ],
    ['GET /fhir/Observation?_count=all', 'insufficient-scope search-unsupported', 'a count that is none'],
    ['GET /fhir/Practitioner', 'insufficient-scope compartment-none', 'a type that no compartment holds'],
    ['GET /fhir?_type=Observation', 'insufficient-scope search-unsupported', 'a search of everything'],
    ['GET /fhir/Observation/_history', 'insufficient-scope scope-missing', 'the history of a type'],
    ['GET /fhir/_history', 'insufficient-scope scope-missing', 'the history of everything'],
    ['GET /fhir/$graphql?query={Patient}', 'insufficient-scope scope-missing', 'GraphQL'],
    [
      'GET /fhir/Observation/$lastn',
      'insufficient-scope scope-missing',
      'operations that are not routed for patients',
    ],
    ['GET /fhir/Patient/$everything', 'insufficient-scope scope-missing', 'everything of everybody'],
  ])('%s: %s (%s)', (line, expected) => {
    expect(outcomeOf(line, ALL)).toBe(expected);
  });

  it('refuses a huge list of includes by its length', () => {
    const many = Array.from({ length: 5_000 }, () => '_include=Observation:subject').join('&');
    expect(outcomeOf(`GET /fhir/Observation?${many}`, ALL)).toBe('insufficient-scope search-unsupported');
  });

  it('needs a patient context', () => {
    expect(outcomeOf('GET /fhir/Observation', staff('patient/*.rs'))).toBe(
      'insufficient-scope patient-context-missing',
    );
  });

  it('does not add a query to what a user scope may see whole', () => {
    expect(sentQuery('GET /fhir/Observation?patient=b&anything=1', staff('user/Observation.s'))).toBe(
      'as it is',
    );
    expect(
      sentQuery('GET /fhir/Observation?patient=b', patientA('patient/*.rs', 'user/Observation.rs')),
    ).toBe('as it is');
  });
});

describe('a search with a user/ scope of one type', () => {
  it('has its includes judged', () => {
    expect(
      sentQuery('GET /fhir/Observation?_include=Observation:subject', staff('user/Observation.rs')),
    ).toBe('_include=Observation:subject');
  });
  it.each([
    [
      'GET /fhir/Observation?subject:Patient.name=Smith',
      'forbidden search-unsupported',
      'a chain to a type without scope',
    ],
    [
      'GET /fhir/Observation?_has:Condition:encounter:code=1',
      'forbidden search-unsupported',
      'a reverse chain from one',
    ],
    ['GET /fhir/Observation?_filter=code eq 1', 'forbidden search-unsupported', 'what is not understood'],
  ])('%s: %s (%s)', (line, expected) => {
    expect(outcomeOf(line, staff('user/Observation.rs'))).toBe(expected);
  });
  it('may chain to types that it may search', () => {
    expect(
      outcomeOf(
        'GET /fhir/Observation?subject:Patient.name=Smith',
        staff('user/Observation.rs', 'user/Patient.rs'),
      ),
    ).toBe('permit');
  });
});

describe('spellings that a lenient server may read as an include', () => {
  it.each(['_INCLUDE', ' _include', '.include', '_include:Iterate', '_revinclude:recurse:x'])(
    '%j is refused',
    (name) => {
      const line = `GET /fhir/Observation?${encodeURIComponent(name)}=Observation:subject`;
      expect(outcomeOf(line, staff('user/Observation.rs'))).toBe('forbidden search-unsupported');
      expect(outcomeOf(line, ALL)).toBe('insufficient-scope search-unsupported');
    },
  );
});

describe('a patient context that is no id', () => {
  it.each(['a,b', '', 'Patient/a', 'a|b', '*', 'a&patient=b'])('%j is none', (patient) => {
    const token = Object.freeze({ ...ALL, patient });
    expect(outcomeOf('GET /fhir/Observation', token)).toBe('insufficient-scope patient-context-missing');
    expect(outcomeOf('GET /fhir/Observation/1', token)).toBe('insufficient-scope patient-context-missing');
  });
});

describe('a page of a search', () => {
  const PAGE = 'GET /fhir?_getpages=x7&_getpagesoffset=20&_count=20&_format=json';
  it('is turned by whoever made it, and shows only what is in reach', () => {
    const token = patientA('patient/Observation.rs');
    expect(sentQuery(PAGE, token)).toBe('_getpages=x7&_getpagesoffset=20&_count=20');
    const bundle = searchset(observation('1', 'Patient/a'), observation('2', 'Patient/b'), {
      resourceType: 'Patient',
      id: 'a',
    });
    expect(releasedIds(answerTo(PAGE, token, bundle))).toEqual(['1']);
  });
  it('is a page and nothing else', () => {
    expect(outcomeOf(`${PAGE}&_type=Patient`, ALL)).toBe('insufficient-scope search-unsupported');
    expect(outcomeOf('GET /fhir?_count=20', ALL)).toBe('insufficient-scope search-unsupported');
    expect(outcomeOf(PAGE, staff('patient/Observation.rs'))).toBe(
      'insufficient-scope patient-context-missing',
    );
    expect(outcomeOf(PAGE, staff('openid'))).toBe('insufficient-scope scope-missing');
  });
});

describe('a compartment search', () => {
  it('is for the own compartment', () => {
    expect(sentQuery('GET /fhir/Patient/a/Observation?code=1', ALL)).toBe('code=1');
    expect(outcomeOf('GET /fhir/Patient/b/Observation', ALL)).toBe('record-hidden patient-mismatch');
    expect(outcomeOf('GET /fhir/Patient/a/Observation?subject=Patient/b', ALL)).toBe(
      'record-hidden patient-mismatch',
    );
  });
});
