import type { BrokenFile } from './broken.ts';

/** Of the back end of `south`, over TLS; and of `north`, over plain HTTP. */
const SOUTH = '        connections: 8\n';
const NORTH = '      - origin: http://127.0.0.1:9001\n';
const POLICY = '    database: south-emr\n';
/** Both behind one back end. */
const neighbours = (north: string, south: string): BrokenFile['change'] => [
  `      - origin: http://127.0.0.1:9001
  - id: south
    hosts: [south.example]
    audience: https://south.example
    issuers: [sso]
    database: south-emr
    policy: clinic
    backends:
      - origin: https://emr.south.example
        authority: authority.pem
        connections: 8
`,
  `      - origin: http://127.0.0.1:9001
${north}  - id: south
    hosts: [south.example]
    audience: https://south.example
    issuers: [sso]
    database: south-emr
    policy: clinic
${south}    backends:
      - origin: http://127.0.0.1:9001
`,
];
const told = (text: string): string => `    tellBackend: ${text}\n`;

/** Faults of how tenants are attached. */
export const BROKEN_TENANCY: readonly BrokenFile[] = [
  {
    because: 'plain HTTP to another machine',
    change: ['http://127.0.0.1:9001', 'http://emr.example:9001'],
    faults: [
      '39:17: tenants[0].backends[0].origin: must be https://: plain http:// is allowed only to a loopback address (127.0.0.1, [::1], localhost)',
    ],
  },
  {
    because: 'the warning name for nothing',
    change: [NORTH, `${NORTH}        plainHttpBeyondLoopbackInsecurely: true\n`],
    faults: [
      '40:9: tenants[0].backends[0].plainHttpBeyondLoopbackInsecurely: has no effect: nothing goes over a network in plain http://',
    ],
  },
  {
    because: 'TLS without TLS',
    change: [NORTH, `${NORTH}        http2: true\n        pinnedKeys: [sha256/${'A'.repeat(43)}=]\n`],
    faults: [
      '40:9: tenants[0].backends[0].http2: has no effect: the origin is plain http://, and HTTP/2 needs TLS here',
      '41:9: tenants[0].backends[0].pinnedKeys: has no effect: the origin is plain http://',
    ],
  },
  {
    because: 'a pin that is none',
    change: [SOUTH, `${SOUTH}        pinnedKeys: [sha1/AAAA]\n`],
    faults: [
      '50:22: tenants[1].backends[0].pinnedKeys[0]: must be "sha256/" and 44 characters of base64, as docs/tenants.md says how to get them',
    ],
  },
  {
    because: 'a client certificate with the key of another',
    change: [SOUTH, `${SOUTH}        clientCertificate: { certificate: chain.pem, key: key-other.pem }\n`],
    faults: [
      '50:59: tenants[1].backends[0].clientCertificate.key: is not the key of the certificate in "certificate"',
    ],
  },
  {
    because: 'a client key that others can read',
    change: [SOUTH, `${SOUTH}        clientCertificate: { certificate: chain.pem, key: key-open.pem }\n`],
    faults: [
      "50:59: tenants[1].backends[0].clientCertificate.key: the file's mode is 0644: its group or others can get at the secret; allow its owner alone (chmod 600)",
    ],
  },
  {
    because: 'a tenant told by nothing',
    change: [POLICY, `${POLICY}    tellBackend: {}\n`],
    faults: ['45:5: tenants[1].tellBackend: must have at least one key'],
  },
  {
    because: 'a tenant told by a header that means something',
    change: [POLICY, `${POLICY}${told('{ header: { name: Host, value: south } }')}`],
    faults: [
      '45:36: tenants[1].tellBackend.header.name: has a meaning of its own in HTTP or for the gateway; choose another, such as X-Clinic',
    ],
  },
  {
    because: 'a prefix that ends with a slash',
    change: [POLICY, `${POLICY}${told('{ pathPrefix: /south/ }')}`],
    faults: [
      '45:32: tenants[1].tellBackend.pathPrefix: must begin with "/", not end with it, and have segments of letters, digits, ".", "_", "~" and "-", such as /riverside',
    ],
  },
  {
    because: 'two tenants of one back end told alike',
    change: neighbours(
      told('{ header: { name: X-Clinic, value: south } }'),
      told('{ header: { name: X-Clinic, value: SOUTH } }'),
    ),
    faults: [
      '47:5: tenants[1].tellBackend: says the same as that of tenant "north", with which it shares a back end; the EMR could not tell them apart',
    ],
  },
  {
    because: 'two tenants of one back end told in different ways',
    change: neighbours(told('{ header: { name: X-Clinic, value: a } }'), told('{ pathPrefix: /b }')),
    faults: [
      '47:5: tenants[1].tellBackend: shares a back end with tenant "north", which says header in "tellBackend"; every tenant of that back end has to say it in the same way',
    ],
  },
  {
    because: 'a tenant that is not told beside one that is',
    change: neighbours(told('{ pathPrefix: /a }'), ''),
    faults: [
      '47:5: tenants[1].backends: shares a back end with tenant "north", which says pathPrefix in "tellBackend"; every tenant of that back end has to say it in the same way',
    ],
  },
  {
    because: 'a prefix below another tenant’s',
    change: neighbours(told('{ pathPrefix: /a }'), told('{ pathPrefix: /a/b }')),
    faults: [
      '47:32: tenants[1].tellBackend.pathPrefix: lies below that of tenant "north", whose requests could reach it',
    ],
  },
  {
    because: 'a mark that is half a tag',
    change: [POLICY, `${POLICY}    ownRows: { marks: [{ system: x, value: y }] }\n`],
    faults: [
      '45:24: tenants[1].ownRows.marks[0]: needs either "system" and "code", or "pointer" and "value"',
    ],
  },
  {
    because: 'hours of no time zone',
    change: [POLICY, `${POLICY}    open: [{ zone: Europe/Atlantis, from: '25:00' }]\n`],
    faults: [
      '45:20: tenants[1].open[0].zone: is not an IANA time zone that is known here; write one such as America/Chicago',
      '45:43: tenants[1].open[0].from: must be a time in quotes, such as "08:00"',
    ],
  },
  {
    because: 'hours that never come, and a date that does not either',
    change: [POLICY, `${POLICY}    open: [{ zone: Etc/UTC, to: '00:00', except: ['2027-02-30'] }]\n`],
    faults: [
      '45:33: tenants[1].open[0].to: is the same time as "from", so that it would never be open',
      '45:51: tenants[1].open[0].except[0]: is no date of the calendar',
    ],
  },
  {
    because: 'maintenance that says nothing',
    change: [POLICY, `${POLICY}    maintenance: { page: none.html }\n`],
    faults: [
      '45:5: tenants[1].maintenance.message: is missing: What people are told; plain text',
      '45:26: tenants[1].maintenance.page: the file does not exist (relative paths start at FOLDER)',
    ],
  },
];
