import type { BrokenFile } from './broken.ts';
import { ROUTE_KEYS } from './keys.ts';

export const BROKEN_CHECKER: readonly BrokenFile[] = [
  {
    because: 'nothing said about sealing',
    change: ['seal:\n  key: signer.pem\n  directory: sealed\n', ''],
    faults: [
      '1:1: seal: is missing: a key and a folder for sealing audit rows, so that changed ones are noticed',
    ],
  },
  {
    because: 'sealing, and going without',
    change: ['seal:\n', 'auditRowsMayBeChangedUnnoticed: true\nseal:\n'],
    faults: ['21:1: auditRowsMayBeChangedUnnoticed: excludes "seal"; give one or the other'],
  },
  {
    because: 'a public key to seal with',
    change: ['key: signer.pem', 'key: signer.pub.pem'],
    faults: [
      "22:8: seal.key: the file's mode is 0644: its group or others can get at the secret; allow its owner alone (chmod 600)",
    ],
  },
  {
    because: 'another kind of key to seal with',
    change: ['key: signer.pem', 'key: key.pem'],
    faults: ['22:8: seal.key: the file holds another kind of key; an Ed25519 private key is needed'],
  },
  {
    because: 'both ways to the server',
    change: [
      '    socketPath: /run/mysqld/mysqld.sock',
      '    socketPath: /run/mysqld/mysqld.sock\n    host: 127.0.0.1\n    port: 3306',
    ],
    faults: [
      '6:5: databases[0].host: excludes "socketPath"; give one or the other',
      '7:5: databases[0].port: excludes "socketPath"; give one or the other',
    ],
  },
  {
    because: 'no way to the server',
    change: ['    socketPath: /run/mysqld/mysqld.sock\n', ''],
    faults: ['4:5: databases[0]: needs "host" (and "port") or "socketPath", to reach the database server'],
  },
  {
    because: 'a distant server without authority',
    change: ['    authority: authority.pem\n', ''],
    faults: [
      '11:5: databases[1].authority: is missing: a database server beyond loopback is reached with TLS only, and this is the authority of its certificate',
    ],
  },
  {
    because: 'a host with a port',
    change: ['host: db.south.example', "host: 'db.south.example:3306'"],
    faults: ['12:11: databases[1].host: must be a host name or an IP address, without scheme or port'],
  },
  {
    because: 'a password in the file itself',
    change: [
      'user: chartgate_checker\n    password: { file: password.secret }\n    emrSchema: openemr',
      'user: chartgate_checker\n    password: hunter2-is-not-a-file\n    emrSchema: openemr',
    ],
    faults: [
      '7:15: databases[0].password: must be "{ file: PATH }": a secret is never written into the configuration itself',
    ],
  },
  {
    because: 'a password that others can read',
    change: [
      'password: { file: password.secret }\n    emrSchema: openemr',
      'password: { file: others.secret }\n    emrSchema: openemr',
    ],
    faults: [
      "7:23: databases[0].password.file: the file's mode is 0604: its group or others can get at the secret; allow its owner alone (chmod 600)",
    ],
  },
  {
    because: "the audit in the EMR's schema",
    change: ['auditSchema: oscar_trail', 'auditSchema: OSCAR'],
    faults: [
      '17:18: databases[1].auditSchema: must differ from "emrSchema": the EMR\'s SQL user must not reach the audit',
    ],
  },
  {
    because: 'a schema name that escapes',
    change: ['emrSchema: openemr', 'emrSchema: open`emr'],
    faults: [
      '8:16: databases[0].emrSchema: must be the name of a database schema: 1 to 64 characters, none of ` / \\ .',
    ],
  },
  {
    because: 'a schema name too long for its audit',
    change: ['emrSchema: openemr', `emrSchema: ${'e'.repeat(60)}`],
    faults: [
      '4:5: databases[0].auditSchema: is missing, and "emrSchema" is too long for the usual name: with "_audit" it has over 64 characters',
    ],
  },
  {
    because: 'an id twice',
    change: ['id: south-emr', 'id: north-emr'],
    faults: ['11:9: databases[1].id: is the id of another database already (line 4)'],
  },
  {
    because: 'a private key to verify with',
    change: [
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n  - id',
      'baselineKeys: [signer.pem, signer-2.pub.pem]\n  - id',
    ],
    faults: ['10:20: databases[0].baselineKeys[0]: the file holds a private key; give the public one'],
  },
  {
    because: 'a key of another kind',
    change: [
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n  - id',
      'baselineKeys: [stranger.pub.pem, signer-2.pub.pem]\n  - id',
    ],
    faults: [
      '10:20: databases[0].baselineKeys[0]: the file holds another kind of key; an Ed25519 public key is needed',
    ],
  },
  {
    because: 'a certificate as a key',
    change: [
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n  - id',
      'baselineKeys: [authority.pem, signer-2.pub.pem]\n  - id',
    ],
    faults: [
      '10:20: databases[0].baselineKeys[0]: the file holds another kind of key; an Ed25519 public key is needed',
    ],
  },
  {
    because: 'no key',
    change: [
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n  - id',
      'baselineKeys: [not-pem.txt, signer-2.pub.pem]\n  - id',
    ],
    faults: [
      '10:20: databases[0].baselineKeys[0]: the file holds no public key in PEM form ("-----BEGIN PUBLIC KEY-----")',
    ],
  },
  {
    because: 'one administrator alone, without saying so',
    change: [
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n  - id',
      'baselineKeys: [signer.pub.pem]\n  - id',
    ],
    faults: ['10:5: databases[0].baselineKeys: is one key, and 2 administrators must sign; list as many'],
  },
  {
    because: 'more signatures than there are keys',
    change: [
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n  - id',
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n    baselineSignatures: 3\n  - id',
    ],
    faults: ['10:5: databases[0].baselineKeys: are 2 keys, and 3 administrators must sign; list as many'],
  },
  {
    because: 'one signature, as a number',
    change: [
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n  - id',
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n    baselineSignatures: 1\n  - id',
    ],
    faults: ['11:25: databases[0].baselineSignatures: must be a whole number from 2 to 16'],
  },
  {
    because: 'one administrator with two copies of a key',
    change: [
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n  - id',
      'baselineKeys: [signer.pub.pem, ./signer.pub.pem]\n  - id',
    ],
    faults: [
      '10:36: databases[0].baselineKeys[1]: is the same key as the one before (line 10); each administrator has one of his own',
    ],
  },
  {
    because: 'two and one administrators at once',
    change: [
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n  - id',
      'baselineKeys: [signer.pub.pem, signer-2.pub.pem]\n    baselineSignatures: 2\n    singleAdministratorBaseline: true\n  - id',
    ],
    faults: [
      '11:5: databases[0].baselineSignatures: excludes "singleAdministratorBaseline"; give one or the other',
    ],
  },
  {
    because: 'an interval too short',
    change: ['fullCheck: 10s', 'fullCheck: 100ms'],
    faults: ['20:16: databases[1].fullCheck: must be a duration from 1s to 1h'],
  },
  {
    because: "the gateway's keys",
    change: ['databases:\n', 'tenants: []\ndatabases:\n'],
    faults: [
      '3:1: tenants: is not a known key. Allowed here: socket, secret, seal, auditRowsMayBeChangedUnnoticed, databases',
    ],
  },
  {
    because: 'no databases',
    change: {
      whole:
        'socket: s\nsecret: { file: shared.secret }\ndatabases: []\nseal: { key: signer.pem, directory: sealed }\n',
    },
    faults: ['3:1: databases: must have at least one entry'],
  },
];

export const BROKEN_POLICY: readonly BrokenFile[] = [
  {
    because: 'a misspelt key',
    change: ['    hide: record', '    hied: record'],
    faults: [`7:5: routes[0].hied: is not a known key; did you mean "hide"? Allowed here: ${ROUTE_KEYS}`],
  },
  {
    because: 'a misspelt value',
    change: ['    hide: record', '    hide: records'],
    faults: ['7:11: routes[0].hide: must be one of none, record, collection; did you mean "record"?'],
  },
  {
    because: 'an unknown method',
    change: ['methods: [POST]', 'methods: [POST, PURGE]'],
    faults: ['11:21: routes[1].methods[1]: must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'],
  },
  {
    because: 'a method in small letters',
    change: ['methods: [GET]', 'methods: [get]'],
    faults: [
      '3:15: routes[0].methods[0]: must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS; did you mean "GET"?',
    ],
  },
  {
    because: 'no path',
    change: ['    path: /fhir/Observation\n', ''],
    faults: ['10:5: routes[1].path: is missing: Path pattern'],
  },
  {
    because: 'a relative path',
    change: ['path: /fhir/Observation', 'path: fhir/Observation'],
    faults: [
      '12:11: routes[1].path: must be a path pattern that begins with "/", such as /fhir/{resourceType}/{id}',
    ],
  },
  {
    because: 'a size without unit',
    change: ['maxBody: 1MiB', 'maxBody: 1048576'],
    faults: ['14:14: routes[1].maxBody: must be a size such as 64KB, 1MB or 1MiB'],
  },
  {
    because: 'a size too large',
    change: ['maxBody: 1MiB', 'maxBody: 11GB'],
    faults: ['14:14: routes[1].maxBody: must be a size from 0B to 10GiB'],
  },
  {
    because: 'a media type with parameters',
    change: ['mediaTypes: [application/json]', 'mediaTypes: [application/json; charset=utf-8]'],
    faults: [
      '15:18: routes[1].mediaTypes[0]: must be a media type in lower case without parameters, such as application/json',
    ],
  },
  {
    because: 'interactions out of order',
    change: ['permission: r', 'permission: sr'],
    faults: [
      '6:72: routes[0].smart.permission: must be letters of "cruds" in that order, each at most once, such as r or rs',
    ],
  },
  {
    because: 'two scopes in one text',
    change: ['scopes: [openid]', 'scopes: [openid profile]'],
    faults: [
      '13:14: routes[1].scopes[0]: must be one OAuth 2 scope: visible ASCII characters, no space, quote or backslash (RFC 6749 §3.3)',
    ],
  },
  {
    because: 'a limit without its window',
    change: ['limit: { requests: 10, window: 1m }', 'limit: { requests: 10 }'],
    faults: ['17:5: routes[1].limit.window: is missing: Length of the window, whole seconds'],
  },
  {
    because: 'a number as an allowed value',
    change: ['resourceType: [Observation]', 'resourceType: [17]'],
    faults: [
      '5:29: routes[0].where.resourceType[0]: must be a text of 1 to 256 characters (put numbers in quotes)',
    ],
  },
  {
    because: 'an upgrade to something else',
    change: ['    scopes: [openid]', '    scopes: [openid]\n    upgrade: h2c'],
    faults: ['14:14: routes[1].upgrade: must be websocket'],
  },
  {
    because: 'a header that ends early',
    change: [
      '    scopes: [openid]',
      '    scopes: [openid]\n    contentSecurityPolicy: { value: "a\\r\\nSet-Cookie: b" }',
    ],
    faults: [
      '14:37: routes[1].contentSecurityPolicy.value: the text holds a line break or control character; for a long text use ">-"',
    ],
  },
  {
    because: 'no routes',
    change: { whole: 'routes: []\n' },
    faults: ['1:1: routes: must have at least one entry'],
  },
];
