import type { Schema } from './schema.ts';
import { flag, object, path } from './values.ts';

/** How the gateway connects to one back end; properties of it. */
export const BACKEND_TRANSPORT: Readonly<Record<string, Schema>> = {
  authority: path({
    description: "PEM file with the authority of an https back end's certificate; without it, the system's.",
    examples: ['tls/emr-authority.pem'],
  }),
  pinnedKeys: {
    type: 'array',
    title: 'Pinned keys',
    description:
      'Public keys of which its certificate must have one: `sha256/` and the base64 SHA-256 of the SubjectPublicKeyInfo ' +
      '(RFC 7469 §2.4). Without `authority` they are all that counts, so that a certificate may be self-signed; with it, ' +
      'both have to hold. Give the next key beside the present one before it is changed.',
    examples: [['sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=']],
    minItems: 1,
    maxItems: 8,
    uniqueItems: true,
    items: {
      type: 'string',
      pattern: '^sha256/[A-Za-z0-9+/]{43}=$',
      errorMessage: 'must be "sha256/" and 44 characters of base64, as docs/tenants.md says how to get them',
      'x-kind': 'key',
    },
  },
  clientCertificate: object(
    {
      title: 'Client certificate',
      description: 'By which the gateway proves to an https back end who it is.',
    },
    {
      certificate: path({
        description: 'PEM file with the certificate first, then the intermediate ones in order.',
        examples: ['tls/at-emr/chain.pem'],
      }),
      key: path({
        description: "PEM file with the certificate's private key, readable by its owner alone.",
        examples: ['tls/at-emr/key.pem'],
      }),
    },
    ['certificate', 'key'],
  ),
  http2: flag({
    description: 'HTTP/2 is spoken to an https back end that can; else HTTP/1.1.',
    default: false,
    examples: [true],
  }),
  unixSocket: path(
    {
      description: 'Unix socket at which it listens, at most 107 bytes long. The origin then only names it.',
      examples: ['/run/emr/http.sock'],
    },
    'socket',
  ),
  plainHttpBeyondLoopbackInsecurely: flag({
    description:
      'Must be `true` before the origin may be plain `http://` to another machine: whoever is on the way reads and changes ' +
      'records. Causes a warning.',
    default: false,
    examples: [false],
  }),
};
