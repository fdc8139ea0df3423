import { describe, expect, it } from 'vitest';
import { ownMatcher } from '../../../gateway/recognise/own.ts';
import { answerRulesOf } from '../../../gateway/recognise/rules.ts';
import { Scan } from '../../../gateway/recognise/scan.ts';
import { OPENEMR_PAGES } from '../../../policies/packs/openemr-pages.ts';
import { WEB_EMR } from '../../../policies/packs/web-emr.ts';
import { facts, policyOf } from '../../policies/support.ts';

/** Pages in the words of OpenEMR's own sources, and of systems of which nothing is known. */

const policies = {
  openemr: policyOf(...OPENEMR_PAGES.routes),
  'web-emr': policyOf(...WEB_EMR.routes),
};

function meaningOf(pack: keyof typeof policies, line: string, body: string) {
  const policy = policies[pack];
  const match = policy.match(facts(line));
  if (match === undefined) throw new Error(`no route for ${line}`);
  const rules = answerRulesOf(match.route, policy);
  const matcher = rules === undefined ? undefined : ownMatcher(rules).body;
  const means =
    matcher === undefined
      ? undefined
      : new Scan(matcher({ status: 200, location: undefined })).add(Buffer.from(body), true);
  return { means: means ?? 'passes', hide: match.route.hide };
}

const CHART = 'GET /interface/patient_file/summary/demographics.php?set_pid=4711';
const UNAUTHORISED = `<html>
    <head>
        <title>Patient Demographics</title>
    </head>
    <body>
        <div class="d-flex w-100 h-75 align-items-center justify-content-center">
            <h3>
                Patient Demographics Not Authorized
            </h3>
        </div>
    </body>
</html>`;

describe('OpenEMR', () => {
  it.each([
    ['a chart that is not for this person', CHART, UNAUTHORISED, 'hidden'],
    ['the same, of older versions', CHART, '<body><p>(Demographics not authorized)</p>\n</body>', 'hidden'],
    ['notes that are not for this person', CHART, '<p>(Notes not authorized)</p>', 'hidden'],
    ['a squad', CHART, 'You are not authorized to access this squad', 'hidden'],
    [
      'a document without a file',
      'GET /controller.php?document&retrieve&patient_id=1&document_id=9',
      'The requested document is not present at the expected location on the filesystem or there are not sufficient permissions to access it./sites/x',
      'hidden',
    ],
    [
      'a statement that failed',
      CHART,
      "<h2><font color='red'>Query Error</font></h2><p><font color='red'>ERROR:</font> query failed: x</p>",
      'failed',
    ],
    [
      'the same in a list',
      'GET /interface/main/finder/dynamic_finder.php',
      "<h2><font color='red'>Query Error</font></h2>",
      'failed',
    ],
    [
      'an account that cannot be read',
      CHART,
      'Failure during database access! Check server error log.',
      'failed',
    ],
    [
      'a chart',
      CHART,
      '<h3>Medical Record Dashboard</h3><p>Release of records not authorized by the patient. Query error in the referral.</p>',
      'passes',
    ],
  ])('%s', (_what, line, body, means) => {
    expect(meaningOf('openemr', line, body).means).toBe(means);
  });

  it('charts, documents and the portal hide what there is', () => {
    for (const line of [
      CHART,
      'GET /controller.php?document',
      'GET /portal/home.php',
      CHART.replace('GET', 'POST'),
    ])
      expect(meaningOf('openemr', line, '').hide, line).toBe('record');
    expect(meaningOf('openemr', 'GET /interface/main/tabs/main.php', '').hide).toBe('none');
  });
});

describe('a web EMR of which nothing is known', () => {
  it.each([
    ['a page whose title says so', '<head><title>Access Denied - Clinic</title></head>', 'hidden'],
    ['a page whose heading says so', '<h1>Not found</h1>', 'hidden'],
    ['a number', '<title>404 | EMR</title>', 'hidden'],
    [
      'a note',
      '<title>Chart</title><p>Patient was not found at home. Access denied by the dog.</p>',
      'passes',
    ],
  ])('%s', (_what, body, means) => {
    expect(meaningOf('web-emr', 'GET /chart/4711', body)).toEqual({ means, hide: 'record' });
  });
});
