import type { BrokenFile } from './broken.ts';
import { GATEWAY_KEYS } from './keys.ts';

/** Faults of what concerns the whole gateway process: listeners, secrets, durations. */
export const BROKEN_PROCESS: readonly BrokenFile[] = [
  {
    because: 'a misspelt key',
    change: ['  port: 8443', '  prot: 8443'],
    faults: [
      '3:3: listen.prot: is not a known key; did you mean "port"? Allowed here: host, port, minimumTls, certificate, key, clientCertificates, trustedProxies, proxyProtocol',
    ],
  },
  {
    because: 'a key in another spelling',
    change: ['minimumTls: TLSv1.3', 'minimum_tls: TLSv1.3'],
    faults: [
      '4:3: listen.minimum_tls: is not a known key; did you mean "minimumTls"? Allowed here: host, port, minimumTls, certificate, key, clientCertificates, trustedProxies, proxyProtocol',
    ],
  },
  {
    because: 'a key that is like no other',
    change: ['workers: 2', 'turbo: true'],
    faults: [`10:1: turbo: is not a known key. Allowed here: ${GATEWAY_KEYS}`],
  },
  {
    because: 'a key that belongs elsewhere',
    change: ['  timeout: 1s', '  timeout: 1s\n  password: { file: client.secret }'],
    faults: ['17:3: integrity.password: is not a known key. Allowed here: socket, secret, timeout'],
  },
  {
    because: 'the prototype as a key',
    change: ['workers: 2', '__proto__: { host: 127.0.0.1 }'],
    faults: [`10:1: __proto__: is not a known key. Allowed here: ${GATEWAY_KEYS}`],
  },
  {
    because: 'content deeper than a reader may go',
    change: ['workers: 2', 'workers: 2\ncontent: { jsonDepth: 5000, answer: 1GiB }'],
    faults: [
      '11:23: content.jsonDepth: must be a whole number from 4 to 256',
      '11:37: content.answer: must be a size from 1KiB to 256MiB',
    ],
  },
  {
    because: 'a required section missing',
    change: ['activityLog:\n  directory: log\n', ''],
    faults: ['1:1: activityLog: is missing: The durable, hash-chained record of what the gateway did'],
  },
  {
    because: 'a required key missing in a list entry',
    change: ['    audience: https://south.example\n', ''],
    faults: [
      '40:5: tenants[1].audience: is missing: Audience a token must carry to be good for this tenant (RFC 9068 §4)',
    ],
  },
  {
    because: 'a port out of range',
    change: ['port: 8443', 'port: 84430'],
    faults: ['3:9: listen.port: must be a whole number from 1 to 65535'],
  },
  {
    because: 'a port as a text',
    change: ['port: 8443', "port: '8443'"],
    faults: ['3:9: listen.port: must be a whole number from 1 to 65535'],
  },
  {
    because: 'a port with a fraction',
    change: ['port: 8443', 'port: 84.5'],
    faults: [
      '3:9: listen.port: a number must be a plain decimal integer such as 8443; put it in quotes if it is a text',
    ],
  },
  {
    because: 'an octal-looking number',
    change: ['port: 8443', 'port: 08443'],
    faults: [
      '3:9: listen.port: a number must be a plain decimal integer such as 8443; put it in quotes if it is a text',
    ],
  },
  {
    because: 'no value at all',
    change: ['port: 8443', 'port:'],
    faults: ['3:3: listen.port: has no value; must be a whole number from 1 to 65535'],
  },
  {
    because: 'a host name to listen on',
    change: ['host: 127.0.0.1\n  port: 8443', 'host: gateway.example\n  port: 8443'],
    faults: ['2:9: listen.host: must be an IP address such as 127.0.0.1, 0.0.0.0 or "::"'],
  },
  {
    because: 'an address with a number too large',
    change: ['host: 127.0.0.1\n  port: 8443', 'host: 127.0.0.256\n  port: 8443'],
    faults: ['2:9: listen.host: must be an IP address such as 127.0.0.1, 0.0.0.0 or "::"'],
  },
  {
    because: 'an old TLS version',
    change: ['TLSv1.3', 'TLSv1.1'],
    faults: ['4:15: listen.minimumTls: must be one of TLSv1.3, TLSv1.2; did you mean "TLSv1.3"?'],
  },
  {
    because: 'a mapping where a text belongs',
    change: ['certificate: chain.pem', 'certificate: { file: chain.pem }'],
    faults: ['5:3: listen.certificate: must be the path of a file'],
  },
  {
    because: 'a certificate that does not exist',
    change: ['certificate: chain.pem', 'certificate: missing.pem'],
    faults: ['5:16: listen.certificate: the file does not exist (relative paths start at FOLDER)'],
  },
  {
    because: 'a folder instead of a certificate',
    change: ['certificate: chain.pem', 'certificate: .'],
    faults: ['5:16: listen.certificate: this is not a regular file'],
  },
  {
    because: 'a certificate that is not PEM',
    change: ['certificate: chain.pem', 'certificate: not-pem.txt'],
    faults: [
      '5:16: listen.certificate: the file holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")',
    ],
  },
  {
    because: 'a damaged certificate',
    change: ['certificate: chain.pem', 'certificate: chain-damaged.pem'],
    faults: ['5:16: listen.certificate: certificate 1 of the file cannot be read'],
  },
  {
    because: 'a certificate file with the key in it',
    change: ['certificate: chain.pem', 'certificate: chain-with-key.pem'],
    faults: ['5:16: listen.certificate: the file holds a private key, which belongs into a file of its own'],
  },
  {
    because: 'a chain in the wrong order',
    change: ['certificate: chain.pem', 'certificate: chain-disordered.pem'],
    faults: [
      "5:16: listen.certificate: certificate 2 of the file did not issue the one before it; the server's own comes first, then its issuer",
    ],
  },
  {
    because: 'a weak RSA key',
    change: ['certificate: chain.pem', 'certificate: chain-weak.pem'],
    faults: ["5:16: listen.certificate: the certificate's RSA key has 1024 bits; at least 2048 are needed"],
  },
  {
    because: "another certificate's key",
    change: ['key: key.pem', 'key: key-other.pem'],
    faults: ['6:8: listen.key: is not the key of the certificate in "certificate"'],
  },
  {
    because: 'a key that others can read',
    change: ['key: key.pem', 'key: key-open.pem'],
    faults: [
      "6:8: listen.key: the file's mode is 0644: its group or others can get at the secret; allow its owner alone (chmod 600)",
    ],
  },
  {
    because: 'a key with a passphrase',
    change: ['key: key.pem', 'key: key-encrypted.pem'],
    faults: [
      '6:8: listen.key: the private key is encrypted with a passphrase; give it without one, protected by the file mode',
    ],
  },
  {
    because: 'a key file without a key',
    change: ['key: key.pem', 'key: not-pem-private.txt'],
    faults: ['6:8: listen.key: the file holds no private key in PEM form ("-----BEGIN PRIVATE KEY-----")'],
  },
  {
    because: 'metrics for the world, not said so',
    change: ['host: 127.0.0.1\n  port: 9464', 'host: 0.0.0.0\n  port: 9464'],
    faults: [
      '8:9: operations.host: is not a loopback address: metrics would be readable by others, unencrypted. Use 127.0.0.1 or "::1", or accept that with "exposeBeyondLoopbackInsecurely: true"',
    ],
  },
  {
    because: 'metrics on an IPv4-mapped address',
    change: ['host: 127.0.0.1\n  port: 9464', 'host: "::ffff:127.0.0.1"\n  port: 9464'],
    faults: [
      '8:9: operations.host: is not a loopback address: metrics would be readable by others, unencrypted. Use 127.0.0.1 or "::1", or accept that with "exposeBeyondLoopbackInsecurely: true"',
    ],
  },
  {
    because: 'a YAML 1.1 boolean',
    change: ['port: 9464', 'port: 9464\n  exposeBeyondLoopbackInsecurely: yes'],
    faults: [
      '10:35: operations.exposeBeyondLoopbackInsecurely: must be true or false (in YAML 1.2, "yes", "no", "on" and "off" are plain texts)',
    ],
  },
  {
    because: 'both listeners on one port',
    change: ['port: 9464', 'port: 8443'],
    faults: ['9:9: operations.port: is the port of the public listener ("listen.port"); they must differ'],
  },
  {
    because: 'readiness for balancers at the port of the operations listener',
    change: ['operations:\n', 'operations:\n  balancer: { host: 127.0.0.1, port: 9464 }\n'],
    faults: [
      '8:38: operations.balancer.port: is the port of the operations listener ("operations.port"); they must differ',
    ],
  },
  {
    because: 'readiness for balancers at the port of the public listener',
    change: ['operations:\n', 'operations:\n  balancer: { host: 0.0.0.0, port: 8443 }\n'],
    faults: [
      '8:36: operations.balancer.port: is the port of the public listener ("listen.port"); they must differ',
    ],
  },
  {
    because: 'a gateway that leaves for an hour',
    change: ['operations:\n', 'timeouts: { leave: 1h }\noperations:\n'],
    faults: ['7:20: timeouts.leave: must be a duration from 0s to 2m'],
  },
  {
    because: 'too many workers',
    change: ['workers: 2', 'workers: 65'],
    faults: ['10:10: workers: must be "auto" or a whole number from 1 to 64'],
  },
  {
    because: 'workers in words',
    change: ['workers: 2', 'workers: many'],
    faults: ['10:10: workers: must be "auto" or a whole number from 1 to 64'],
  },
  {
    because: 'a secret in the file itself',
    change: ['secret: { file: shared.secret }', 'secret: hunter2-is-not-a-file'],
    faults: [
      '15:11: integrity.secret: must be "{ file: PATH }": a secret is never written into the configuration itself',
    ],
  },
  {
    because: 'a secret under another key',
    change: ['secret: { file: shared.secret }', 'secret: { value: hunter2-is-not-a-file }'],
    faults: [
      '15:3: integrity.secret.file: is missing: File that holds the secret and nothing else; a trailing line break is not part of it',
      '15:13: integrity.secret.value: is not a known key. Allowed here: file',
    ],
  },
  {
    because: 'a secret file that does not exist',
    change: ['file: shared.secret', 'file: missing.secret'],
    faults: ['15:19: integrity.secret.file: the file does not exist (relative paths start at FOLDER)'],
  },
  {
    because: 'a secret that the group can read',
    change: ['file: shared.secret', 'file: group.secret'],
    faults: [
      "15:19: integrity.secret.file: the file's mode is 0640: its group or others can get at the secret; allow its owner alone (chmod 600)",
    ],
  },
  {
    because: 'a secret that others can read',
    change: ['file: shared.secret', 'file: others.secret'],
    faults: [
      "15:19: integrity.secret.file: the file's mode is 0604: its group or others can get at the secret; allow its owner alone (chmod 600)",
    ],
  },
  {
    because: 'an empty secret',
    change: ['file: client.secret', 'file: empty.secret'],
    faults: ['24:29: issuers[0].introspection.clientSecret.file: the file is empty; it must hold the secret'],
  },
  {
    because: 'a huge secret',
    change: ['file: client.secret', 'file: huge.secret'],
    faults: [
      '24:29: issuers[0].introspection.clientSecret.file: the file is larger than 4096 bytes, the most allowed',
    ],
  },
  {
    because: 'a shared secret that can be guessed',
    change: ['file: shared.secret', 'file: short.secret'],
    faults: [
      '15:19: integrity.secret.file: the secret in the file is too short: 15 bytes, at least 16 are needed',
    ],
  },
  {
    because: 'a socket path that the kernel cuts',
    change: ['socket: /run/chartgate/checker.sock', `socket: /run/${'x'.repeat(110)}`],
    faults: [
      '14:11: integrity.socket: is too long for a Unix socket: 115 bytes as an absolute path, at most 107',
    ],
  },
  {
    because: 'a duration without unit',
    change: ['timeout: 1s', 'timeout: 1000'],
    faults: ['16:12: integrity.timeout: must be a duration such as 250ms, 1s, 5m or 1h'],
  },
  {
    because: 'a duration with a fraction',
    change: ['timeout: 1s', 'timeout: 1.5s'],
    faults: ['16:12: integrity.timeout: must be a duration such as 250ms, 1s, 5m or 1h'],
  },
  {
    because: 'a duration too long',
    change: ['timeout: 1s', 'timeout: 1h'],
    faults: ['16:12: integrity.timeout: must be a duration from 10ms to 30s'],
  },
  {
    because: 'a window of half seconds',
    change: ['window: 1m', 'window: 1500ms'],
    faults: ['26:37: limits.perPeer.window: must be a duration from 1s to 24h in whole seconds'],
  },
];
