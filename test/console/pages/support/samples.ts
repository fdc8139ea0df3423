import QRCode from 'qrcode';
import {
  ERROR_KINDS,
  PASSWORD_PROBLEMS,
  type Page,
  renderAccount,
  renderChoosePatient,
  renderChooseProvider,
  renderConsent,
  renderContinue,
  renderEmergency,
  renderEnrolChoice,
  renderEnrolPasskey,
  renderEnrolTotp,
  renderError,
  renderExpired,
  renderFactor,
  renderFactors,
  renderIncidents,
  renderPassword,
  renderRecovery,
  renderRecoveryCodes,
  renderSessions,
  renderSharing,
  renderSignedOut,
  renderSignIn,
  renderSignOut,
  renderStepUp,
  renderUnavailable,
  type Site,
} from '../../../../console/index.ts';

/** Made up for these pages. */
const form = { action: '/.chartgate/form', csrf: 'csrf-token-of-the-test' };
const requestId = '7b1f7c0e-2f5c-4a57-9d1e-0a6f0c3f4c11';
const qr = await QRCode.toString(
  'otpauth://totp/Riverside:jordan?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Riverside',
  { type: 'svg', margin: 1 },
);
const key = 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP';
const day = 86_400_000;
const now = Date.UTC(2026, 10, 22, 9, 41);
const request = {
  challenge: 'AAECAwQFBgcICQoLDA0ODw',
  rpId: 'localhost',
  timeout: 60_000,
  userVerification: 'required',
  allowCredentials: [],
};
const creation = {
  challenge: 'AAECAwQFBgcICQoLDA0ODw',
  rp: { id: 'localhost', name: 'Riverside Clinic' },
  user: { id: 'AQIDBA', name: 'jordan', displayName: 'jordan' },
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  timeout: 60_000,
  authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  excludeCredentials: [],
};
const codes = [
  'K7QM-2F9T-XW4H-B3',
  '9DRN-C8VA-M2JP-71',
  'T4GE-ZH6K-QF05-9X',
  'W1YB-7NPD-3SRC-K8',
  'H5MX-0VJ2-EA9T-4G',
  'P8CF-R6WQ-7ZKN-D2',
  'B3TJ-9HYE-V1MX-F6',
  'N0SA-4KGD-P5WR-Q7',
  'X6EV-1CZB-8TFH-M9',
  'J2RK-Q7NP-0DYS-W5',
];
const rules = { minimum: 12, classes: false, history: 5 };
const passkey = { form, options: request };

const shared = {
  id: '7b1f7c0e-2f5c-4a57-9d1e-0a6f0c3f4c11',
  state: 'in-force',
  to: { kind: 'organisation', organisation: 'Southbank Practice' },
  resourceTypes: ['DiagnosticReport', 'Observation', 'Specimen', 'ImagingStudy'],
  categories: [],
  actions: ['read'],
  from: now - day,
  until: now + 30 * day,
  by: 'patient',
} as const;
const sharing = {
  form,
  consents: [
    shared,
    {
      ...shared,
      id: '7b1f7c0e-2f5c-4a57-9d1e-0a6f0c3f4c12',
      state: 'not-yet',
      to: { kind: 'role', role: 'pharmacist', organisation: 'Southbank Practice' },
      resourceTypes: ['*'],
      categories: ['laboratory', 'vital-signs'],
      actions: ['read', 'write'],
      by: 'staff',
    },
    {
      ...shared,
      id: '7b1f7c0e-2f5c-4a57-9d1e-0a6f0c3f4c13',
      state: 'withdrawn',
      to: {
        kind: 'person',
        name: 'south-sso:a-very-long-subject-of-somebody-who-cannot-be-broken-anywhere@example',
      },
      by: 'host',
    },
  ],
  organisations: [
    { id: 'riverside', name: 'Riverside Clinic' },
    { id: 'south', name: 'Southbank Practice' },
  ],
  days: [30, 90, 180, 365],
  ownName: 'clinic-sso:5f0c8a52-6f3e-4d6f-8a3e-2a1f7d9a0b11',
  backHref: '/',
} as const;
const incident = {
  request: '7B1F7C0E2F5C4A579D1E0A6F0C',
  time: now,
  asked: 'GET /chart/4711',
  given: '404 Not Found (backend-refused)',
  answered: '403 Forbidden',
  fields: ['content-type: text/html', `x-long: ${'word '.repeat(60)}`],
  body: `<p>The chart is restricted</p>\n${'A long line of a page. '.repeat(40)}`,
  cut: true,
};
const emergency = { form, scopes: ['user/*.rs', 'emr/pages'], minutes: 30, backHref: '/' };

/** Every page in every state that looks different. */
export const SAMPLES: Readonly<Record<string, (site: Site) => Page>> = {
  'sign-in': (site) =>
    renderSignIn(site, { form, service: 'Patient portal', recoveryHref: '/recovery', passkey }),
  'sign-in-plain': (site) => renderSignIn(site, { form }),
  'sign-in-wrong': (site) =>
    renderSignIn(site, { form, login: 'jordan', problems: ['wrong'], recoveryHref: '/recovery', passkey }),
  'sign-in-missing': (site) =>
    renderSignIn(site, { form, problems: ['password-missing', 'login-missing'], cancelHref: '/cancel' }),
  'sign-in-stale': (site) => renderSignIn(site, { form, problems: ['stale', 'busy'] }),
  'choose-provider': (site) =>
    renderChooseProvider(site, {
      providers: [
        { name: 'Riverside Clinic', href: '/.chartgate/sign-in?issuer=clinic' },
        { name: 'State Health Network', href: '/.chartgate/sign-in?issuer=state' },
      ],
    }),
  'password-change': (site) =>
    renderPassword(site, { form, login: 'jordan', kind: 'change', rules, cancelHref: '/account' }),
  'password-temporary': (site) => renderPassword(site, { form, login: 'jordan', kind: 'temporary', rules }),
  'password-expired': (site) =>
    renderPassword(site, { form, kind: 'expired', rules: { minimum: 8, classes: true } }),
  'password-reset': (site) => renderPassword(site, { form, kind: 'reset', rules, problems: ['mismatch'] }),
  'password-refused': (site) =>
    renderPassword(site, { form, kind: 'change', rules, problems: [...PASSWORD_PROBLEMS] }),
  factor: (site) =>
    renderFactor(site, {
      form,
      method: 'totp',
      purpose: 'sign-in',
      others: [
        { method: 'passkey', href: '/factor?method=passkey' },
        { method: 'recovery-code', href: '/factor?method=recovery-code' },
      ],
      recoveryHref: '/recovery',
    }),
  'factor-wrong': (site) =>
    renderFactor(site, { form, method: 'totp', purpose: 'sign-in', problems: ['wrong'] }),
  'factor-later': (site) =>
    renderFactor(site, { form, method: 'totp', purpose: 'sign-in', problems: ['later'], retryAfter: 840 }),
  'factor-closed': (site) =>
    renderFactor(site, { form, method: 'totp', purpose: 'sign-in', problems: ['closed'] }),
  'factor-recovery-code': (site) =>
    renderFactor(site, {
      form,
      method: 'recovery-code',
      purpose: 'sign-in',
      problems: ['missing'],
      others: [{ method: 'totp', href: '/factor?method=totp' }],
    }),
  'factor-passkey': (site) =>
    renderFactor(site, {
      form,
      method: 'passkey',
      options: request,
      purpose: 'step-up',
      others: [{ method: 'totp', href: '/factor?method=totp' }],
      cancelHref: '/back',
    }),
  'factor-passkey-wrong': (site) =>
    renderFactor(site, {
      form,
      method: 'passkey',
      options: request,
      purpose: 'sign-in',
      problems: ['wrong'],
    }),
  'step-up': (site) => renderStepUp(site, { form, minutes: 5, keptForm: true, cancelHref: '/back' }),
  'enrol-choice': (site) =>
    renderEnrolChoice(site, { totpHref: '/enrol/totp', passkeyHref: '/enrol/passkey', required: true }),
  'enrol-choice-optional': (site) =>
    renderEnrolChoice(site, { totpHref: '/enrol/totp', required: false, skipHref: '/later' }),
  'enrol-totp': (site) =>
    renderEnrolTotp(site, { form, qr, key, account: 'Riverside: jordan', otherHref: '/enrol' }),
  'enrol-totp-wrong': (site) => renderEnrolTotp(site, { form, qr, key, problems: ['wrong'] }),
  'enrol-passkey': (site) => renderEnrolPasskey(site, { form, options: creation, otherHref: '/enrol' }),
  'enrol-passkey-refused': (site) =>
    renderEnrolPasskey(site, { form, options: creation, problems: ['refused', 'name-missing'] }),
  'recovery-codes': (site) => renderRecoveryCodes(site, { form, codes, account: 'jordan' }),
  'recovery-codes-not-kept': (site) => renderRecoveryCodes(site, { form, codes, problems: ['not-kept'] }),
  recovery: (site) => renderRecovery(site, { form, signInHref: '/sign-in' }),
  'recovery-wrong': (site) =>
    renderRecovery(site, { form, problems: ['wrong', 'login-missing', 'code-missing'] }),
  'recovery-ask': (site) => renderRecovery(site, { signInHref: '/sign-in' }),
  sessions: (site) =>
    renderSessions(site, {
      form,
      sessions: [
        {
          id: 'a1',
          current: false,
          startedAt: now - day,
          lastSeenAt: now - day / 3,
          browser: 'Safari on iPhone',
          method: 'Password and authenticator app',
        },
        {
          id: 'b2',
          current: true,
          startedAt: now - 1_500_000,
          lastSeenAt: now,
          browser: 'Firefox on Windows',
        },
        { id: 'c3', current: false, startedAt: now - 2 * day, lastSeenAt: now - day },
      ],
      ended: 1,
      signOutHref: '/.chartgate/sign-out',
      factorsHref: '/.chartgate/factors',
    }),
  sharing: (site) => renderSharing(site, { ...sharing, done: 'granted' }),
  'sharing-none': (site) => renderSharing(site, { ...sharing, consents: [], organisations: [] }),
  'sharing-wrong': (site) =>
    renderSharing(site, {
      ...sharing,
      chosen: {
        whom: '.person',
        person: 'nobody',
        role: 'a role',
        parts: ['results'],
        write: true,
        days: '90',
      },
      problems: ['days', 'person', 'role', 'what', 'whom', 'too-many', 'stale'],
    }),
  emergency: (site) => renderEmergency(site, emergency),
  'emergency-wrong': (site) =>
    renderEmergency(site, { ...emergency, reason: 'urgent', problems: ['reason', 'in-force', 'busy'] }),
  'emergency-open': (site) => renderEmergency(site, { ...emergency, openUntil: now + 1_800_000 }),
  incidents: (site) => renderIncidents(site, { form, backHref: '/' }),
  'incidents-wrong': (site) =>
    renderIncidents(site, {
      form,
      number: '7',
      ticket: 'a b',
      problems: ['number', 'ticket'],
      backHref: '/',
    }),
  'incidents-none': (site) =>
    renderIncidents(site, { form, number: incident.request, ticket: 'HD-17', found: 'none', backHref: '/' }),
  'incidents-shown': (site) =>
    renderIncidents(site, {
      form,
      number: incident.request,
      ticket: 'HD-17',
      found: incident,
      backHref: '/',
    }),
  'emergency-ended': (site) => renderEmergency(site, { ...emergency, ended: true }),
  'sessions-one': (site) =>
    renderSessions(site, {
      form,
      sessions: [{ id: 'b2', current: true, startedAt: now, lastSeenAt: now, browser: 'Firefox on Windows' }],
      problems: ['stale'],
    }),
  factors: (site) =>
    renderFactors(site, {
      form,
      totp: true,
      passkeys: [
        { id: 'p1', name: 'Work laptop', addedAt: now - 30 * day, lastUsedAt: now - day },
        { id: 'p2', name: 'Security key', addedAt: now - 9 * day },
      ],
      recoveryCodesLeft: 7,
      addPasskeyHref: '/add',
      newCodesHref: '/codes',
      backHref: '/back',
    }),
  'factors-none': (site) =>
    renderFactors(site, {
      form,
      totp: false,
      passkeys: [],
      recoveryCodesLeft: 0,
      addTotpHref: '/totp',
      addPasskeyHref: '/add',
      problems: ['last'],
    }),
  'factors-all': (site) =>
    renderFactors(site, {
      form,
      totp: true,
      passkeys: [{ id: 'p1', name: 'Work laptop', addedAt: now - 30 * day }],
      recoveryCodesLeft: 3,
      addTotpHref: '/totp',
      addPasskeyHref: '/add',
      newCodes: true,
      removableTotp: true,
      backHref: '/back',
    }),
  account: (site) =>
    renderAccount(site, {
      form,
      name: 'Jordan Example',
      login: 'jordan',
      passwordHref: '/account/password',
      factorsHref: '/account/factors',
      signOutHref: '/session/end',
      sessions: [
        { id: 'a1', current: false, startedAt: now - day, services: [], strength: 'password' },
        {
          id: 'b2',
          current: true,
          startedAt: now,
          services: ['Riverside portal', 'Growth Chart'],
          strength: 'second-step',
        },
        { id: 'c3', current: false, startedAt: now - 2 * day, services: ['Riverside portal'] },
      ],
      apps: [
        {
          id: 'growth-chart',
          name: 'Growth Chart',
          scopes: ['openid', 'launch/patient', 'patient/Observation.rs', 'patient/Immunization.cruds'],
          since: now - 9 * day,
        },
        { id: 'diary', name: 'Symptom diary', scopes: ['patient/*.rs'], since: now - 3 * day },
      ],
      ended: 1,
    }),
  'account-alone': (site) =>
    renderAccount(site, {
      form,
      name: 'Jordan Example',
      login: 'jordan',
      passwordHref: '/account/password',
      factorsHref: '/account/factors',
      sessions: [{ id: 'b2', current: true, startedAt: now, services: [] }],
      apps: [],
      taken: 1,
      problems: ['stale'],
    }),
  'sign-out': (site) =>
    renderSignOut(site, {
      form,
      everywhere: true,
      backHref: '/',
      formTargets: ['https://id.riverside.example'],
    }),
  'signed-out': (site) => renderSignedOut(site, { signInHref: '/.chartgate/sign-in' }),
  'signed-out-by-provider': (site) => renderSignedOut(site, { reason: 'provider' }),
  consent: (site) =>
    renderConsent(site, {
      form,
      client: 'Growth Chart',
      clientSite: 'https://growth.example/about',
      scopes: [
        'openid',
        'fhirUser',
        'launch/patient',
        'patient/Patient.rs',
        'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
        'patient/Immunization.read',
        'patient/QuestionnaireResponse.cu',
        'offline_access',
      ],
      patient: 'Alex Example, born 2019',
      account: 'jordan',
    }),
  'consent-choosable': (site) =>
    renderConsent(site, {
      form,
      client: 'Ward Round',
      scopes: ['user/*.cruds', 'system/Observation.rs', 'x-special.scope'],
      choosable: true,
      problems: ['none-chosen'],
    }),
  'choose-patient': (site) =>
    renderChoosePatient(site, {
      form,
      client: 'Growth Chart',
      patients: [
        { id: '1', name: 'Alex Example', detail: 'born 3 May 2019' },
        { id: '2', name: 'Robin Example', detail: 'born 11 August 2021' },
      ],
      cancelHref: '/cancel',
    }),
  'choose-patient-missing': (site) =>
    renderChoosePatient(site, {
      form,
      patients: [{ id: '1', name: 'Alex Example' }],
      problems: ['missing'],
    }),
  'choose-patient-typed': (site) =>
    renderChoosePatient(site, { form, patients: [], typed: true, problems: ['unknown'] }),
  expired: (site) => renderExpired(site, { signInHref: '/sign-in', reason: 'idle', kept: { bytes: 4321 } }),
  'expired-too-large': (site) =>
    renderExpired(site, { signInHref: '/sign-in', reason: 'absolute', kept: 'too-large' }),
  continue: (site) =>
    renderContinue(site, {
      route: 'Progress note',
      bytes: 4321,
      files: 1,
      send: { ...form, action: '/interface/forms/note/save.php?id=7&.chartgate-continue=yes' },
      discard: form,
    }),
  ...Object.fromEntries(
    ERROR_KINDS.map((kind) => [
      `error-${kind}`,
      (site: Site) => renderError(site, { kind, requestId, retryHref: '/again', homeHref: '/' }),
    ]),
  ),
  unavailable: (site) =>
    renderUnavailable(site, { kind: 'unavailable', requestId, retrySeconds: 60, retryHref: '/again' }),
  maintenance: (site) => renderUnavailable(site, { kind: 'maintenance', requestId, retrySeconds: 1800 }),
};
