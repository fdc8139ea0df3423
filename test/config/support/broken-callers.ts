import type { BrokenFile } from './broken.ts';

const at = (lines: string): readonly [string, string] => [
  '  minimumTls: TLSv1.3',
  `  clientCertificates:\n${lines}\n  minimumTls: TLSv1.3`,
];
const ofTenant = (lines: string): readonly [string, string] => [
  '    database: north-emr',
  `    clientCertificates:\n      authority: authority.pem\n${lines}\n    database: north-emr`,
];

const front = (list: string): readonly [string, string] => [
  '  minimumTls: TLSv1.3',
  `  trustedProxies: ${list}\n  minimumTls: TLSv1.3`,
];

/** Faults of what says which machines and programs may come. */
export const BROKEN_CALLERS: readonly BrokenFile[] = [
  {
    because: 'client certificates of nobody’s authority',
    change: at('    demand: required'),
    faults: [
      '4:3: listen.clientCertificates.authority: is missing: PEM file with the authorities whose certificates count',
    ],
  },
  {
    because: 'an authority for client certificates that is not one',
    change: at('    authority: not-pem.txt'),
    faults: [
      '5:16: listen.clientCertificates.authority: the file holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")',
    ],
  },
  {
    because: 'a revocation list that is none',
    change: at('    authority: authority.pem\n    revocationList: authority.pem'),
    faults: [
      '6:21: listen.clientCertificates.revocationList: the file holds no revocation list in PEM form ("-----BEGIN X509 CRL-----")',
    ],
  },
  {
    because: 'a listener’s certificates that stand for somebody',
    change: at('    authority: authority.pem\n    principals: []'),
    faults: [
      '6:5: listen.clientCertificates.principals: is not a known key. Allowed here: authority, revocationList, demand',
    ],
  },
  {
    because: 'a certificate that stands for somebody by nothing',
    change: ofTenant('      principals: [{ as: lab-1, scopes: [s] }]'),
    faults: [
      '37:20: tenants[0].clientCertificates.principals[0]: needs exactly one of "thumbprint", "name" and "subject"',
    ],
  },
  {
    because: 'a certificate that stands for somebody by two names',
    change: ofTenant("      principals: [{ name: 'DNS:a', subject: CN=a, as: lab-1, scopes: [s] }]"),
    faults: [
      '37:20: tenants[0].clientCertificates.principals[0]: needs exactly one of "thumbprint", "name" and "subject"',
    ],
  },
  {
    because: 'one certificate that stands for two',
    change: ofTenant(
      "      principals:\n        - { name: 'DNS:a', as: lab-1, scopes: [s] }\n        - { name: 'DNS:a', as: lab-2, scopes: [s] }",
    ),
    faults: [
      '39:19: tenants[0].clientCertificates.principals[1].name: stands for somebody already (line 38)',
    ],
  },
  {
    because: 'a thumbprint that is none',
    change: ofTenant('      principals: [{ thumbprint: abc, as: lab-1, scopes: [s] }]'),
    faults: [
      '37:34: tenants[0].clientCertificates.principals[0].thumbprint: must be a SHA-256: 43 characters of base64url or 64 of hexadecimal',
    ],
  },
  {
    because: 'secrets per request with nowhere to keep the clients',
    change: [
      '    database: north-emr',
      '    apiClients: { acceptSecretPerRequestInsecurely: true }\n    database: north-emr',
    ],
    faults: [
      '35:53: tenants[0].apiClients.acceptSecretPerRequestInsecurely: needs "state", in which the clients are kept',
    ],
  },
  {
    because: 'a proxy that is a name',
    change: front('[proxy.example]'),
    faults: [
      '4:20: listen.trustedProxies[0]: must be an IP address or a network such as 10.20.0.0/24 or fd00:20::/64',
    ],
  },
  {
    because: 'networks that are none, or everybody',
    change: front('[10.20.0.1/24, 0.0.0.0/0, 10.20.0.0/33, "fd00::1/64"]'),
    faults: [
      '4:20: listen.trustedProxies[0]: has bits set behind its prefix; write the first address of the network',
      '4:34: listen.trustedProxies[1]: is far too wide: whoever connects from it may say where a client is; name the proxies, or a network of at least /8',
      '4:45: listen.trustedProxies[2]: has a prefix that is no number from 0 to 32',
      '4:59: listen.trustedProxies[3]: has bits set behind its prefix; write the first address of the network',
    ],
  },
  {
    because: 'a PROXY protocol that nobody speaks',
    change: ['  minimumTls: TLSv1.3', '  proxyProtocol: required\n  minimumTls: TLSv1.3'],
    faults: ['4:18: listen.proxyProtocol: needs "trustedProxies": the addresses that connections come from'],
  },
];
