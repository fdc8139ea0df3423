import type { BrokenFile } from './broken.ts';

/** Faults of issuers, policies, tenants and back ends. */
export const BROKEN_TENANTS: readonly BrokenFile[] = [
  {
    because: 'an issuer without TLS',
    change: ['issuer: https://sso.example', 'issuer: http://sso.example'],
    faults: ['19:13: issuers[0].issuer: must be an https:// URL'],
  },
  {
    because: 'an issuer with a query',
    change: ['issuer: https://sso.example', 'issuer: https://sso.example/?realm=a'],
    faults: ['19:13: issuers[0].issuer: must have no query and no fragment (RFC 8414 section 2)'],
  },
  {
    because: 'an issuer with a password',
    change: ['issuer: https://sso.example', 'issuer: https://me:hunter2@sso.example'],
    faults: ['19:13: issuers[0].issuer: must not hold a user or password'],
  },
  {
    because: 'unsigned tokens',
    change: ['algorithms: [ES256]', 'algorithms: [ES256, none]'],
    faults: [
      '21:25: issuers[0].algorithms[1]: must be one of ES256, ES384, ES512, EdDSA, Ed25519, PS256, PS384, PS512, RS256, RS384, RS512; never "none" or an HMAC algorithm, with which whoever can verify a token could make one (RFC 8725 section 3.1)',
    ],
  },
  {
    because: 'tokens signed with a shared secret',
    change: ['algorithms: [ES256]', 'algorithms: [HS256]'],
    faults: [
      '21:18: issuers[0].algorithms[0]: must be one of ES256, ES384, ES512, EdDSA, Ed25519, PS256, PS384, PS512, RS256, RS384, RS512; never "none" or an HMAC algorithm, with which whoever can verify a token could make one (RFC 8725 section 3.1)',
    ],
  },
  {
    because: 'an algorithm twice',
    change: ['algorithms: [ES256]', 'algorithms: [ES256, ES256]'],
    faults: ['21:5: issuers[0].algorithms: lists the same entry twice (at 0 and 1, counted from 0)'],
  },
  {
    because: 'an authority that is not one',
    change: ['authority: authority.pem\n    algorithms', 'authority: not-pem.txt\n    algorithms'],
    faults: [
      '20:16: issuers[0].authority: the file holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")',
    ],
  },
  {
    because: 'no issuers',
    change: [
      `issuers:
  - id: sso
    issuer: https://sso.example
    authority: authority.pem
    algorithms: [ES256]
    introspection:
      clientId: chartgate
      clientSecret: { file: client.secret }
`,
      'issuers: []\n',
    ],
    faults: ['17:1: issuers: must have at least one entry'],
  },
  {
    because: 'half an introspection',
    change: ['      clientId: chartgate\n', ''],
    faults: ['22:5: issuers[0].introspection.clientId: is missing: Client id of the gateway at the issuer'],
  },
  {
    because: 'a policy file that does not exist',
    change: ['clinic: policy.yaml', 'clinic: missing.yaml'],
    faults: ['29:11: policies.clinic: the file does not exist (relative paths start at FOLDER)'],
  },
  {
    because: 'an unnameable policy',
    change: ['  clinic: policy.yaml', '  clinic: policy.yaml\n  My Clinic: policy.yaml'],
    faults: ['30:3: policies["My Clinic"]: must be a name of a-z, 0-9 and "-", beginning with a letter'],
  },
  {
    because: 'an unknown policy',
    change: ['policy: clinic\n    identityHeader', 'policy: clinik\n    identityHeader'],
    faults: [
      '36:13: tenants[0].policy: names no policy of "policies" (defined: clinic); did you mean "clinic"?',
    ],
  },
  {
    because: 'an unknown issuer',
    change: ['issuers: [sso]\n    database: south-emr', 'issuers: [sso, keycloak]\n    database: south-emr'],
    faults: ['43:20: tenants[1].issuers[1]: names no issuer of "issuers" (defined: sso)'],
  },
  {
    because: 'a host of two tenants',
    change: ['hosts: [south.example]', 'hosts: [south.example, north.example]'],
    faults: ['41:28: tenants[1].hosts[1]: is listed already (line 32); a host belongs to one tenant, once'],
  },
  {
    because: 'an audience of two tenants',
    change: ['audience: https://south.example', 'audience: https://north.example'],
    faults: [
      '42:15: tenants[1].audience: is an audience already (line 33); a token for one would be good for both',
    ],
  },
  {
    because: 'a further audience that is another tenant’s',
    change: [
      'audience: https://south.example',
      'audience: https://south.example\n    audiences: { research: https://north.example }',
    ],
    faults: [
      '43:28: tenants[1].audiences.research: is an audience already (line 33); a token for one would be good for both',
    ],
  },
  {
    because: 'a token for the back end that is none',
    change: [
      'audience: https://south.example',
      'audience: https://south.example\n    backendAuthorization: { secret: { file: not-pem-private.txt } }',
    ],
    faults: [
      '43:45: tenants[1].backendAuthorization.secret.file: the file must hold one bearer token (RFC 6750 §2.1) and nothing else',
    ],
  },
  {
    because: 'a name and password for the back end that are none',
    change: [
      'audience: https://south.example',
      'audience: https://south.example\n    backendAuthorization: { scheme: Basic, secret: { file: not-pem-private.txt } }',
    ],
    faults: [
      '43:60: tenants[1].backendAuthorization.secret.file: the file must hold a name, a colon and a password (RFC 7617 §2) on one line',
    ],
  },
  {
    because: 'a tenant id twice',
    change: ['id: south', 'id: north'],
    faults: ['40:9: tenants[1].id: is the id of another tenant already (line 31)'],
  },
  {
    because: 'a host in capitals',
    change: ['hosts: [south.example]', 'hosts: [South.example]'],
    faults: [
      '41:13: tenants[1].hosts[0]: must be an exact host in its canonical form: lower case, no wildcard, no trailing dot, no scheme or path, such as riverside.example or riverside.example:8443',
    ],
  },
  {
    because: 'a wildcard host',
    change: ['hosts: [south.example]', "hosts: ['*.example']"],
    faults: [
      '41:13: tenants[1].hosts[0]: must be an exact host in its canonical form: lower case, no wildcard, no trailing dot, no scheme or path, such as riverside.example or riverside.example:8443',
    ],
  },
  {
    because: 'a host with a trailing dot',
    change: ['hosts: [south.example]', 'hosts: [south.example.]'],
    faults: [
      '41:13: tenants[1].hosts[0]: must be an exact host in its canonical form: lower case, no wildcard, no trailing dot, no scheme or path, such as riverside.example or riverside.example:8443',
    ],
  },
  {
    because: 'a host with its scheme',
    change: ['hosts: [south.example]', "hosts: ['https://south.example']"],
    faults: [
      '41:13: tenants[1].hosts[0]: must be an exact host in its canonical form: lower case, no wildcard, no trailing dot, no scheme or path, such as riverside.example or riverside.example:8443',
    ],
  },
  {
    because: 'a host with the usual port',
    change: ['hosts: [south.example]', "hosts: ['south.example:443']"],
    faults: ['41:13: tenants[1].hosts[0]: must leave out ":443", which is understood'],
  },
  {
    because: 'a host with an impossible port',
    change: ['hosts: [south.example]', "hosts: ['south.example:99999']"],
    faults: ['41:13: tenants[1].hosts[0]: has a port beyond 65535'],
  },
  {
    because: 'an address as a host',
    change: ['hosts: [south.example]', 'hosts: [192.0.2.7]'],
    faults: [
      '41:13: tenants[1].hosts[0]: must be a name: TLS clients send no server name for an IP address (RFC 6066 section 3)',
    ],
  },
  {
    because: 'a tenant with a capital',
    change: ['id: south', 'id: South'],
    faults: ['40:9: tenants[1].id: must be a name: 1 to 63 of a-z, 0-9 and "-", beginning with a letter'],
  },
  {
    because: 'a plain back end beyond this machine',
    change: ['origin: http://127.0.0.1:9001', 'origin: http://192.0.2.7:9001'],
    faults: [
      '39:17: tenants[0].backends[0].origin: must be https://: plain http:// is allowed only to a loopback address (127.0.0.1, [::1], localhost)',
    ],
  },
  {
    because: 'a back end that only looks like loopback',
    change: ['origin: http://127.0.0.1:9001', 'origin: http://127.0.0.1.example:9001'],
    faults: [
      '39:17: tenants[0].backends[0].origin: must be https://: plain http:// is allowed only to a loopback address (127.0.0.1, [::1], localhost)',
    ],
  },
  {
    because: 'a back end with a path',
    change: ['origin: http://127.0.0.1:9001', 'origin: http://127.0.0.1:9001/emr'],
    faults: [
      '39:17: tenants[0].backends[0].origin: must be an origin such as http://127.0.0.1:9001 or https://emr.clinic.example',
    ],
  },
  {
    because: 'a back end in another notation',
    change: ['origin: http://127.0.0.1:9001', 'origin: http://2130706433:9001'],
    faults: [
      '39:17: tenants[0].backends[0].origin: must be written as just the origin, in its canonical form: http://127.0.0.1:9001',
    ],
  },
  {
    because: 'a back end with a password',
    change: ['origin: https://emr.south.example', 'origin: https://me:hunter2@emr.south.example'],
    faults: ['47:17: tenants[1].backends[0].origin: must not hold a user or password'],
  },
  {
    because: 'an authority for plain HTTP',
    change: ['origin: https://emr.south.example', 'origin: http://localhost:9002'],
    faults: ['48:9: tenants[1].backends[0].authority: has no effect: the origin is plain http://'],
  },
  {
    because: 'an identity in a framing header',
    change: ['identityHeader: X-Forwarded-User', 'identityHeader: Transfer-Encoding'],
    faults: [
      '37:21: tenants[0].identityHeader: has a meaning of its own in HTTP or for the gateway; choose another, such as X-Forwarded-User',
    ],
  },
  {
    because: 'an identity header with an underscore',
    change: ['identityHeader: X-Forwarded-User', 'identityHeader: X_Forwarded_User'],
    faults: [
      '37:21: tenants[0].identityHeader: must be a header name of letters, digits and "-", such as X-Forwarded-User',
    ],
  },
  {
    because: 'no back ends',
    change: ['    backends:\n      - origin: http://127.0.0.1:9001\n', '    backends: []\n'],
    faults: ['38:5: tenants[0].backends: must have at least one entry'],
  },
];
