import type { PolicyPack } from '../../contracts/policy-packs.ts';
import type { RouteDocument } from '../../contracts/settings.ts';

const BASE = '/apis/default';
const JSON_ONLY = Object.freeze(['application/json']);
const METHOD = Object.freeze({ c: 'POST', r: 'GET', u: 'PUT', d: 'DELETE', s: 'GET' });
const WORD = Object.freeze({ c: 'create', r: 'read', u: 'update', d: 'delete', s: 'list' });
type Letter = keyof typeof METHOD;

/**
 * One kind of record of the Standard API: the word in its paths, the FHIR resource type whose scope it needs
 * (SMART scopes know no others), and what may be done with it there.
 */
interface Kind {
  readonly word: string;
  readonly type: string;
  /** `s` list, `c` create; `r` read, `u` update, `d` delete of one. */
  readonly letters: string;
}

/** Below `/api`. */
const CLINIC: readonly Kind[] = [
  { word: 'facility', type: 'Organization', letters: 'scru' },
  { word: 'practitioner', type: 'Practitioner', letters: 'scru' },
  { word: 'user', type: 'Practitioner', letters: 'sr' },
  { word: 'appointment', type: 'Appointment', letters: 'scrud' },
  { word: 'insurance_company', type: 'Organization', letters: 'scru' },
  { word: 'medical_problem', type: 'Condition', letters: 'sr' },
  { word: 'allergy', type: 'AllergyIntolerance', letters: 'sr' },
  { word: 'immunization', type: 'Immunization', letters: 'sr' },
  { word: 'procedure', type: 'Procedure', letters: 'sr' },
  { word: 'prescription', type: 'MedicationRequest', letters: 'sr' },
  { word: 'drug', type: 'Medication', letters: 'sr' },
];

/** Below `/api/patient/{puuid}`. */
const RECORD: readonly Kind[] = [
  { word: 'encounter', type: 'Encounter', letters: 'scru' },
  { word: 'appointment', type: 'Appointment', letters: 'scrd' },
  { word: 'allergy', type: 'AllergyIntolerance', letters: 'scrud' },
  { word: 'medical_problem', type: 'Condition', letters: 'scrud' },
  { word: 'medication', type: 'MedicationStatement', letters: 'scrud' },
  { word: 'prescription', type: 'MedicationRequest', letters: 'sr' },
  { word: 'procedure', type: 'Procedure', letters: 'sr' },
  { word: 'vital', type: 'Observation', letters: 'scru' },
  { word: 'soap_note', type: 'DocumentReference', letters: 'scru' },
  { word: 'surgery', type: 'Procedure', letters: 'scrud' },
  { word: 'dental_issue', type: 'Condition', letters: 'scrud' },
  { word: 'immunization', type: 'Immunization', letters: 'sr' },
  { word: 'insurance', type: 'Coverage', letters: 'scru' },
  { word: 'document', type: 'DocumentReference', letters: 'srd' },
  { word: 'employer', type: 'Patient', letters: 's' },
  { word: 'transaction', type: 'ServiceRequest', letters: 'sc' },
  { word: 'message', type: 'Communication', letters: 'cud' },
];

/** Below `/api/patient/{puuid}/encounter/{euuid}`. */
const VISIT: readonly Kind[] = [
  { word: 'vital', type: 'Observation', letters: 'scru' },
  { word: 'soap_note', type: 'DocumentReference', letters: 'scru' },
];

interface Place {
  readonly prefix: string;
  readonly path: string;
  /** Below a patient's record: the patient of the path is the one a `patient/` scope may reach. */
  readonly patient: boolean;
}

function routesOf({ prefix, path, patient }: Place, kind: Kind): RouteDocument[] {
  return [...kind.letters].map((each) => {
    const letter = each as Letter;
    const one = letter === 'r' || letter === 'u' || letter === 'd';
    // Writes by patients go through the portal, whose forms staff look at.
    const own = patient && (letter === 'r' || letter === 's');
    return {
      id: `${prefix}-${kind.word.replaceAll('_', '-')}-${WORD[letter]}`,
      methods: [METHOD[letter]],
      path: `${BASE}/api${path}/${kind.word}${one ? '/{id}' : ''}`,
      smart: {
        contexts: own ? ['patient', 'user'] : ['user'],
        resource: kind.type,
        permission: letter,
      },
      ...(own ? { patient: { capture: 'puuid' } } : {}),
      hide: patient || one ? 'record' : 'collection',
      ...(letter === 'c' || letter === 'u' ? { mediaTypes: JSON_ONLY } : {}),
    };
  });
}

function patientRoutes(): RouteDocument[] {
  const path = `${BASE}/api/patient`;
  const smart = (permission: string, contexts: readonly ('patient' | 'user')[] = ['user']) => ({
    contexts,
    resource: 'Patient',
    permission,
  });
  return [
    { id: 'openemr-patient-list', methods: ['GET'], path, smart: smart('s'), hide: 'collection' },
    {
      id: 'openemr-patient-create',
      methods: ['POST'],
      path,
      smart: smart('c'),
      mediaTypes: JSON_ONLY,
      hide: 'collection',
    },
    {
      id: 'openemr-patient-read',
      methods: ['GET'],
      path: `${path}/{puuid}`,
      smart: smart('r', ['patient', 'user']),
      patient: { capture: 'puuid' },
      hide: 'record',
    },
    {
      id: 'openemr-patient-update',
      methods: ['PUT', 'PATCH'],
      path: `${path}/{puuid}`,
      smart: smart('u'),
      mediaTypes: JSON_ONLY,
      hide: 'record',
    },
  ];
}

/** What PATCH may change besides PUT, files, lists, and what is not of one kind. */
function otherRoutes(): RouteDocument[] {
  const user = (resource: string, permission: string) => ({
    contexts: ['user'] as const,
    resource,
    permission,
  });
  const api = `${BASE}/api`;
  return [
    {
      id: 'openemr-practitioner-patch',
      methods: ['PATCH'],
      path: `${api}/practitioner/{id}`,
      smart: user('Practitioner', 'u'),
      mediaTypes: JSON_ONLY,
      hide: 'record',
    },
    {
      id: 'openemr-facility-patch',
      methods: ['PATCH'],
      path: `${api}/facility/{id}`,
      smart: user('Organization', 'u'),
      mediaTypes: JSON_ONLY,
      hide: 'record',
    },
    {
      id: 'openemr-record-document-upload',
      methods: ['POST'],
      path: `${api}/patient/{puuid}/document`,
      smart: user('DocumentReference', 'c'),
      mediaTypes: ['multipart/form-data'],
      maxBodyBytes: 32 * 1024 * 1024,
      hide: 'record',
    },
    {
      id: 'openemr-transaction-list',
      methods: ['GET'],
      path: `${api}/transaction`,
      smart: user('ServiceRequest', 's'),
      hide: 'collection',
    },
    {
      id: 'openemr-transaction-create',
      methods: ['POST'],
      path: `${api}/transaction`,
      smart: user('ServiceRequest', 'c'),
      mediaTypes: JSON_ONLY,
      hide: 'collection',
    },
    {
      id: 'openemr-transaction-update',
      methods: ['PUT'],
      path: `${api}/transaction/{id}`,
      smart: user('ServiceRequest', 'u'),
      mediaTypes: JSON_ONLY,
      hide: 'record',
    },
    {
      id: 'openemr-insurance-type-list',
      methods: ['GET'],
      path: `${api}/insurance_type`,
      smart: user('Coverage', 's'),
    },
    {
      id: 'openemr-list-read',
      methods: ['GET'],
      path: `${api}/list/{name}`,
      smart: user('ValueSet', 'r'),
    },
    { id: 'openemr-version', methods: ['GET'], path: `${api}/version`, scopes: ['openid'] },
    { id: 'openemr-product', methods: ['GET'], path: `${api}/product`, scopes: ['openid'] },
  ];
}

/** The Standard API by which OpenEMR's own records are read and written, and its portal's for one patient. */
export const OPENEMR_API: PolicyPack = Object.freeze({
  name: 'openemr-api',
  title: 'OpenEMR: Standard REST API',
  versions: ['7.*', '8.*'],
  base: BASE,
  routes: [
    ...patientRoutes(),
    ...CLINIC.flatMap((kind) => routesOf({ prefix: 'openemr', path: '', patient: false }, kind)),
    ...RECORD.flatMap((kind) =>
      routesOf({ prefix: 'openemr-record', path: '/patient/{puuid}', patient: true }, kind),
    ),
    ...VISIT.flatMap((kind) =>
      routesOf({ prefix: 'openemr-visit', path: '/patient/{puuid}/encounter/{euuid}', patient: true }, kind),
    ),
    ...otherRoutes(),
    ...portalRoutes(),
  ],
});

/** OpenEMR finds the patient by its own token there, so that no path names one: a token for one patient and no other. */
function portalRoutes(): RouteDocument[] {
  const path = `${BASE}/portal/patient`;
  const own = (id: string, below: string, resource: string, permission: string): RouteDocument => ({
    id: `openemr-portal-${id}`,
    methods: ['GET'],
    path: `${path}${below}`,
    smart: { contexts: ['user'], resource, permission },
    hide: 'record',
  });
  return [
    own('patient', '', 'Patient', 'r'),
    own('encounter-list', '/encounter', 'Encounter', 's'),
    own('encounter-read', '/encounter/{id}', 'Encounter', 'r'),
    own('appointment-list', '/appointment', 'Appointment', 's'),
    own('appointment-read', '/appointment/{id}', 'Appointment', 'r'),
  ];
}
