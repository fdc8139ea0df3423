import { describe, expect, test } from 'vitest';
import { contentSecurityPolicy } from '../../console/csp.ts';
import { createSite, renderSignIn } from '../../console/index.ts';
import { describeScopes } from '../../console/scopes.ts';
import { TEXTS } from '../../console/texts/index.ts';

describe('Content-Security-Policy', () => {
  test('allows a page its own style sheet, logo and form, and nothing else', () => {
    expect(contentSecurityPolicy({})).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; " +
        "base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
  });

  test('adds the script, the picture and the targets only where they are needed', () => {
    const policy = contentSecurityPolicy({
      script: true,
      qr: true,
      formTargets: [
        'https://portal.example',
        'https://portal.example',
        'http://127.0.0.1:8123',
        'com.example.app:',
      ],
    });
    expect(policy).toContain("; script-src 'self'; ");
    expect(policy).toContain("; img-src 'self' data:; ");
    expect(policy).toContain(
      "; form-action 'self' https://portal.example http://127.0.0.1:8123 com.example.app:; ",
    );
  });

  test('allows the very files of the page where its origins are known, and no other script of the host', () => {
    const site = createSite({
      assetPath: '/a/',
      origins: ['https://one.example', 'https://two.example:8443'],
    });
    const { csp } = renderSignIn(site, {
      form: { action: '/x', csrf: 'x' },
      passkey: { form: { action: '/x', csrf: 'x' }, options: {} },
    });
    const script = site.assets.path('passkey');
    expect(csp).toContain(
      `; script-src https://one.example${script} https://two.example:8443${script}; form-action 'self'; `,
    );
    expect(csp).not.toContain("style-src 'self'");
    for (const origin of ['https://one.example/', 'https://one.example; script-src *', '*', '']) {
      expect(() => createSite({ assetPath: '/a/', origins: [origin] })).toThrowError(
        expect.objectContaining({ code: 'internal' }),
      );
    }
    expect(() => createSite({ assetPath: '/a/', origins: [] })).toThrowError();
  });

  test.each([
    ['a word that allows everything', '*'],
    ['a keyword', "'unsafe-inline'"],
    ['another directive', 'https://a.example; script-src *'],
    ['two at once', 'https://a.example https://b.example'],
    ['a wildcard', 'https://*.example'],
    ['a path', 'https://a.example/callback'],
    ['no TLS', 'http://portal.example'],
    ['a whole scheme', 'https:'],
    ['data', 'data:'],
    ['a script', 'javascript:'],
    ['a line break', 'https://a.example\r\nx: y'],
    ['nothing', ''],
  ])('%s is no target of a form', (_why, target) => {
    expect(() => contentSecurityPolicy({ formTargets: [target] })).toThrowError(
      expect.objectContaining({ code: 'internal' }),
    );
  });
});

describe('scopes in plain words', () => {
  const described = (...scopes: readonly string[]) =>
    describeScopes(TEXTS.en, scopes).flatMap((group) =>
      group.scopes.map((scope) => `${group.heading}: ${scope.text}`),
    );

  test.each([
    ['patient/Observation.read', 'In this patient’s record: See: test results and vital signs'],
    ['patient/Observation.rs', 'In this patient’s record: See: test results and vital signs'],
    ['patient/*.cruds', 'In this patient’s record: See, add, change and delete: everything in the record'],
    ['user/Appointment.write', 'In all records that you may open: Add, change and delete: appointments'],
    ['system/Slot.c', 'In all records: Add: free appointments'],
    [
      'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
      'In this patient’s record: See: test results and vital signs (only where category = laboratory)',
    ],
    ['patient/Nonesuch.rs', 'In this patient’s record: See: Nonesuch'],
    ['offline_access', 'Also: Keep access when you are away'],
    ['launch/patient', 'Also: Know which patient you chose'],
  ])('%s', (scope, text) => {
    expect(described(scope)).toEqual([text]);
  });

  test.each([
    'patient/Observation.sr',
    'patient/Observation.',
    'patient/Observation.rsx',
    'patient/observation.rs',
    'PATIENT/Observation.rs',
    'constructor',
    '__proto__',
    'patient/__proto__.rs',
    'admin/users',
  ])('%s is shown as it was asked, and counts as one that changes things', (scope) => {
    const [group] = describeScopes(TEXTS.en, [scope]);
    expect(group?.scopes).toEqual([
      { scope, text: `Something that we cannot describe: ${scope}`, changes: true },
    ]);
  });

  test('none is left out, none is told twice, and what changes things is marked', () => {
    const groups = describeScopes(TEXTS.en, [
      'openid',
      'user/Patient.rs',
      'user/Patient.u',
      'openid',
      'patient/*.read',
    ]);
    expect(groups.map((group) => group.heading)).toEqual([
      'In this patient’s record',
      'In all records that you may open',
      'Also',
    ]);
    expect(groups.flatMap((group) => group.scopes.map((scope) => [scope.scope, scope.changes]))).toEqual([
      ['patient/*.read', false],
      ['user/Patient.rs', false],
      ['user/Patient.u', true],
      ['openid', false],
    ]);
  });
});
