import type { AnswerRulesDocument } from '../../contracts/answer-rules.ts';
import type { PolicyPack } from '../../contracts/policy-packs.ts';
import type { RouteDocument } from '../../contracts/settings.ts';

const FORMS = Object.freeze(['application/x-www-form-urlencoded', 'multipart/form-data', 'application/json']);
/** Where web systems keep what is the same for everybody. */
const ASSETS = ['assets', 'css', 'fonts', 'images', 'img', 'js', 'static'] as const;

/**
 * Pages with status 200 whose very title says that there is nothing, or nothing for this person. Words inside a page are
 * for rules of one's own: a note may say of a visit that the patient was not found at home.
 */
const HIDDEN: AnswerRulesDocument = Object.freeze({
  hidden: Object.freeze(
    [
      '404',
      'Not found',
      'Page not found',
      'Access denied',
      'Forbidden',
      'No access',
      'Not authorized',
    ].flatMap((title) => [{ bodyContains: `<title>${title}` }, { bodyContains: `<h1>${title}</h1>` }]),
  ),
});

const ROUTES: readonly RouteDocument[] = [
  {
    id: 'emr-entrance',
    methods: ['GET'],
    path: '/',
    credential: 'session',
    scopes: ['emr'],
    integrity: { mode: 'strict' },
  },
  {
    id: 'emr-view',
    methods: ['GET'],
    path: '/{page*}',
    credential: 'session',
    scopes: ['emr'],
    integrity: { mode: 'strict' },
    query: { duplicates: 'allow', brackets: 'allow' },
    hide: 'record',
    answers: HIDDEN,
  },
  {
    id: 'emr-send',
    methods: ['POST'],
    path: '/{page*}',
    credential: 'session',
    scopes: ['emr'],
    mediaTypes: FORMS,
    query: { duplicates: 'allow', brackets: 'allow' },
  },
  ...ASSETS.map(
    (folder): RouteDocument => ({
      id: `emr-${folder}`,
      methods: ['GET'],
      path: `/${folder}/{file*}`,
      credential: 'anonymous',
      integrity: { mode: 'off' },
    }),
  ),
  {
    id: 'emr-favicon',
    methods: ['GET'],
    path: '/favicon.ico',
    credential: 'anonymous',
    integrity: { mode: 'off' },
  },
];

/**
 * A web EMR of which nothing is known: whoever signed in with both factors and holds the scope `emr` may use its
 * pages, nobody else sees any of them. Views are proved like writes before they are shown, because old systems
 * save by links. To be narrowed with routes of one's own, which are more specific and win.
 */
export const WEB_EMR: PolicyPack = Object.freeze({
  name: 'web-emr',
  title: 'A web EMR of which nothing is known',
  versions: [],
  base: '',
  routes: ROUTES,
});
