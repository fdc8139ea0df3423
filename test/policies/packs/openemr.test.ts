import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPENEMR_API } from '../../../policies/packs/openemr-api.ts';
import { OPENEMR_PAGES } from '../../../policies/packs/openemr-pages.ts';
import { WEB_EMR } from '../../../policies/packs/web-emr.ts';
import { ANONYMOUS, bearer, facts, faultsOfRoutes, policyOf } from '../support.ts';

const NOW = 1_800_000_000;
const DOCUMENTED = readFileSync(join(import.meta.dirname, 'openemr-documented.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.replace(' /', ' /apis/default/').replace(/:\w+/g, '9f3c0b6e'));

const api = policyOf(...OPENEMR_API.routes);
const pages = policyOf(...OPENEMR_PAGES.routes);

function decide(policy: typeof api, line: string, principal: Parameters<typeof api.decide>[2]) {
  const seen = facts(line);
  return policy.decide(seen, policy.match(seen), principal, NOW);
}

describe.each([OPENEMR_API, OPENEMR_PAGES, WEB_EMR])('the pack $name', (pack) => {
  it('compiles without a fault', () => {
    expect(faultsOfRoutes(...pack.routes)).toEqual([]);
  });

  it('lets nobody without a credential at anything but files that are the same for everybody', () => {
    for (const route of pack.routes) {
      if (route.credential !== 'anonymous') continue;
      expect(route.methods).toEqual(['GET']);
      expect(route.path).toMatch(/^\/(public|assets|css|fonts|images|img|js|static|favicon\.ico)/);
    }
  });
});

describe('the Standard API', () => {
  it('has a rule for each of the documented routes', () => {
    expect(DOCUMENTED.length).toBeGreaterThan(85);
    expect(DOCUMENTED.filter((line) => api.match(facts(line)) === undefined)).toEqual([]);
  });

  it.each(DOCUMENTED)('%s needs a scope, and is granted by one that is wide enough', (line) => {
    expect(decide(api, line, ANONYMOUS)).toMatchObject({ effect: 'deny', denial: 'unauthenticated' });
    expect(decide(api, line, bearer(['openid']))).toMatchObject({ effect: 'deny' });
    expect(decide(api, line, bearer(['user/*.cruds']))).toMatchObject({ effect: 'permit' });
  });

  it.each([
    ['a read of another patient', 'GET /apis/default/api/patient/other', 'deny'],
    ['a read of the own record', 'GET /apis/default/api/patient/own', 'permit'],
    ['an own list', 'GET /apis/default/api/patient/own/allergy', 'permit'],
    ['a list of another patient', 'GET /apis/default/api/patient/other/allergy', 'deny'],
    ['a change of the own record', 'PUT /apis/default/api/patient/own', 'deny'],
    ['a list of all patients', 'GET /apis/default/api/patient', 'deny'],
    ['an appointment that belongs to nobody in particular', 'GET /apis/default/api/appointment/9', 'deny'],
  ])('a patient’s token gets %s: %s is %s', (_what, line, effect) => {
    const patient = bearer(['patient/*.cruds'], 'own');
    expect(decide(api, line, patient).effect).toBe(effect);
  });

  it.each([
    ['a route that is not documented', 'GET /apis/default/api/patient/9/everything'],
    ['another method', 'DELETE /apis/default/api/patient/9'],
    ['another site', 'GET /apis/other/api/patient'],
    ['the dispatcher itself', 'GET /apis/dispatch.php'],
  ])('%s is denied even to the widest scope', (_why, line) => {
    expect(decide(api, line, bearer(['user/*.cruds', 'system/*.cruds']))).toMatchObject({
      effect: 'deny',
      denial: 'route-unknown',
    });
  });
});

describe('the pages', () => {
  it.each([
    'GET /setup.php',
    'GET /admin.php',
    'GET /sql_upgrade.php',
    'GET /sites/default/sqlconf.php',
    'GET /sites/default/documents/1/scan.pdf',
    'GET /vendor/autoload.php',
    'POST /setup.php',
  ])('%s is denied to everybody', (line) => {
    expect(decide(pages, line, bearer(['openemr/staff', 'openemr/portal', 'user/*.cruds'])).effect).toBe(
      'deny',
    );
  });

  it.each([
    'GET /',
    'GET /interface/main/tabs/main.php',
    'POST /interface/patient_file/summary/demographics_save.php',
  ])('%s is not for somebody with a token', (line) => {
    expect(decide(pages, line, bearer(['openemr/staff'])).effect).toBe('deny');
  });
});
