import type { AnswerRulesDocument } from '../../contracts/answer-rules.ts';
import type { PolicyPack } from '../../contracts/policy-packs.ts';
import type { RouteDocument } from '../../contracts/settings.ts';

const FORMS = Object.freeze(['application/x-www-form-urlencoded', 'multipart/form-data', 'application/json']);
const FORM_BYTES = 32 * 1024 * 1024;

/** Files that are the same for everybody: no record is in them. */
const ASSETS = ['public/assets', 'public/images', 'public/themes', 'public/fonts'] as const;

/**
 * Programs that install, upgrade or describe the system, and folders in which patients' files and passwords lie:
 * nobody needs them from outside, whatever another rule says.
 */
const FORBIDDEN = [
  'setup.php',
  'admin.php',
  'acl_setup.php',
  'acl_upgrade.php',
  'sql_patch.php',
  'sql_upgrade.php',
  'ippf_upgrade.php',
  'phpunit.xml',
  'composer.json',
] as const;
const FORBIDDEN_FOLDERS = ['sites', 'sql', 'contrib', 'tests', 'ci', 'docker', 'vendor', 'swagger'] as const;

/** What OpenEMR prints, with status 200, when its database fails (`HelpfulDie`, `privStatement` of library/sql.inc.php). */
const FAILED: AnswerRulesDocument = Object.freeze({
  failed: Object.freeze([
    { bodyContains: "<font color='red'>Query Error</font>" },
    { bodyContains: 'Failure during database access! Check server error log.' },
    { bodyContains: 'Check that you can ping the server ' },
    { bodyContains: 'Check that mysqld is running.' },
  ]),
});

/**
 * What it prints, with status 200, in place of a chart or document that is not there or not for this person: its template
 * `core/unauthorized`, the remarks of older pages, and a document without a file.
 */
const OF_RECORDS: AnswerRulesDocument = Object.freeze({
  ...FAILED,
  hidden: Object.freeze([
    { bodyMatches: 'align-items-center justify-content-center">*Not Authorized*</h3>' },
    { bodyMatches: '<p>(*not authorized' },
    { bodyContains: 'Demographics not authorized' },
    { bodyContains: 'You are not authorized to access this squad' },
    { bodyContains: 'The requested document is not present at the expected location on the filesystem' },
  ]),
});

/** Folders of pages for staff, which OpenEMR calls its interface. */
const STAFF = ['interface', 'library', 'controllers', 'modules', 'myportal'] as const;

function staffRoutes(): RouteDocument[] {
  return STAFF.flatMap((folder): RouteDocument[] => [
    {
      id: `openemr-${folder}-view`,
      methods: ['GET'],
      path: `/${folder}/{page*}`,
      credential: 'session',
      scopes: ['openemr/staff'],
      // Some of its pages save what a link says: each is proved like a write before it is shown.
      integrity: { mode: 'strict' },
      query: { duplicates: 'allow', brackets: 'allow' },
      answers: FAILED,
    },
    {
      id: `openemr-${folder}-send`,
      methods: ['POST'],
      path: `/${folder}/{page*}`,
      credential: 'session',
      scopes: ['openemr/staff'],
      mediaTypes: FORMS,
      maxBodyBytes: FORM_BYTES,
      query: { duplicates: 'allow', brackets: 'allow' },
      answers: FAILED,
    },
  ]);
}

/** Charts, and the documents and prescriptions of one patient: nobody can tell which of them there are. */
function recordRoutes(): RouteDocument[] {
  return [
    { id: 'charts', path: '/interface/patient_file/{page*}' },
    { id: 'documents', path: '/controller.php' },
  ].flatMap(({ id, path }): RouteDocument[] => {
    const common = {
      path,
      credential: 'session',
      scopes: ['openemr/staff'],
      query: { duplicates: 'allow', brackets: 'allow' },
      hide: 'record',
      answers: OF_RECORDS,
    } as const;
    return [
      { ...common, id: `openemr-${id}-view`, methods: ['GET'], integrity: { mode: 'strict' } },
      { ...common, id: `openemr-${id}-send`, methods: ['POST'], mediaTypes: FORMS, maxBodyBytes: FORM_BYTES },
    ];
  });
}

function portalRoutes(): RouteDocument[] {
  const common = {
    path: '/portal/{page*}',
    credential: 'session',
    scopes: ['openemr/portal'],
    query: { duplicates: 'allow', brackets: 'allow' },
    hide: 'record',
    answers: OF_RECORDS,
  } as const;
  return [
    { ...common, id: 'openemr-portal-view', methods: ['GET'], integrity: { mode: 'strict' } },
    {
      ...common,
      id: 'openemr-portal-send',
      methods: ['POST'],
      mediaTypes: FORMS,
      maxBodyBytes: FORM_BYTES,
    },
    // Backbone models of the portal's own pages.
    {
      ...common,
      id: 'openemr-portal-change',
      methods: ['PUT', 'DELETE'],
      mediaTypes: FORMS,
      maxBodyBytes: FORM_BYTES,
    },
  ];
}

const ROUTES: readonly RouteDocument[] = [
  ...['/', '/index.php'].map(
    (path): RouteDocument => ({
      id: path === '/' ? 'openemr-entrance' : 'openemr-index',
      methods: ['GET'],
      path,
      credential: 'session',
      scopes: ['openemr/staff'],
    }),
  ),
  ...ASSETS.map(
    (folder): RouteDocument => ({
      id: `openemr-${folder.replace('/', '-')}`,
      methods: ['GET'],
      path: `/${folder}/{file*}`,
      credential: 'anonymous',
      integrity: { mode: 'off' },
    }),
  ),
  {
    id: 'openemr-favicon',
    methods: ['GET'],
    path: '/favicon.ico',
    credential: 'anonymous',
    integrity: { mode: 'off' },
  },
  ...staffRoutes(),
  ...recordRoutes(),
  ...portalRoutes(),
  ...FORBIDDEN.map(
    (file): RouteDocument => ({
      id: `openemr-never-${file.replaceAll(/[._]/g, '-')}`,
      effect: 'deny',
      methods: ['GET', 'POST'],
      path: `/${file}`,
    }),
  ),
  ...FORBIDDEN_FOLDERS.map(
    (folder): RouteDocument => ({
      id: `openemr-never-${folder}`,
      effect: 'deny',
      methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      path: `/${folder}/{file*}`,
    }),
  ),
];

/** What a browser sees of OpenEMR: the pages of staff and of the patients' portal, each only after both factors. */
export const OPENEMR_PAGES: PolicyPack = Object.freeze({
  name: 'openemr-pages',
  title: "OpenEMR: staff's pages and the patients' portal",
  versions: ['7.*', '8.*'],
  base: '',
  routes: ROUTES,
});
