import type { BrokenFile } from './broken.ts';
import { GATEWAY_KEYS } from './keys.ts';

/** What YAML would allow, or not even that. */
export const BROKEN_YAML: readonly BrokenFile[] = [
  {
    because: 'the same key twice',
    change: ['  port: 8443', '  port: 8443\n  port: 8444'],
    faults: ['4:3: listen.port: this key is written twice in the same mapping'],
  },
  {
    because: 'an anchor and an alias',
    change: [
      '    audience: https://south.example\n    issuers: [sso]',
      '    audience: &a https://south.example\n    issuers: [*a]',
    ],
    faults: [
      '42:18: tenants[1].audience: anchors (&name) are not allowed; quote a text that begins with &',
      '43:15: tenants[1].issuers[0]: aliases (*name) are not allowed; write the value out, or quote a text that begins with *',
    ],
  },
  {
    because: 'a tag',
    change: ['port: 8443', 'port: !!int "8443"'],
    faults: ['3:15: listen.port: tags (!name) are not allowed; quote a text that begins with !'],
  },
  {
    because: 'a merge key',
    change: ['operations:\n', 'operations:\n  <<: { port: 9465 }\n'],
    faults: [
      '8:3: operations["<<"]: is not a known key. Allowed here: host, port, exposeBeyondLoopbackInsecurely, balancer',
    ],
  },
  {
    because: 'a second document',
    change: ['operations:\n', '---\noperations:\n'],
    faults: ['7:1: a second document begins here ("---"); one file holds exactly one'],
  },
  {
    because: 'a YAML 1.1 directive',
    change: ['listen:\n', '%YAML 1.1\n---\nlisten:\n'],
    faults: ['1:1: directives (%YAML, %TAG) are not allowed'],
  },
  {
    because: 'a tab',
    change: ['  port: 8443', '\tport: 8443'],
    faults: ['3:1: a tab is used for indentation; use spaces'],
  },
  {
    because: 'a quote that is not closed',
    change: ['audience: https://south.example', "audience: 'https://south.example"],
    faults: ['42:15: a text in quotes begins here, and its closing quote is missing'],
  },
  {
    because: 'a line too far to the left',
    change: ['  port: 8443', ' port: 8443'],
    faults: ['3:1: the indentation is wrong here, or a list or mapping above is not closed'],
  },
  {
    because: 'two keys on one line',
    change: ['  port: 8443', '  port: 8443: 8444'],
    faults: ['3:9: a second "key:" on one line; put it on its own line, or the text in quotes'],
  },
  {
    because: 'a text over several lines',
    change: ['audience: https://south.example', 'audience: |\n      https://south.example'],
    faults: [
      '42:15: tenants[1].audience: the text holds a line break or control character; for a long text use ">-"',
    ],
  },
  {
    because: 'a character that turns the text around',
    change: ['port: 8443', 'port: 8443 # \u202e3448'],
    faults: ['3:16: an invisible character (U+202E) is not allowed'],
  },
  {
    because: 'a NUL',
    change: ['certificate: chain.pem', 'certificate: "chain.pem\\0.txt"'],
    faults: [
      '5:16: listen.certificate: the text holds a line break or control character; for a long text use ">-"',
    ],
  },
  {
    because: 'Latin-1',
    change: {
      whole: Buffer.from('listen:\n  host: 127.0.0.1\n  certificate: schl\u00fcssel.pem\n', 'latin1'),
    },
    faults: ['3:1: this line is not valid UTF-8'],
  },
  { because: 'an empty file', change: { whole: '' }, faults: ['the file is empty or holds only comments'] },
  {
    because: 'only comments',
    change: { whole: '# nothing here\n' },
    faults: ['the file is empty or holds only comments'],
  },
  {
    because: 'a list',
    change: { whole: '- listen\n- tenants\n' },
    faults: [`1:1: must be a mapping with the keys ${GATEWAY_KEYS}`],
  },
  {
    because: 'a sentence',
    change: { whole: 'This is no configuration.\n' },
    faults: [`1:1: must be a mapping with the keys ${GATEWAY_KEYS}`],
  },
  {
    because: 'more than a mebibyte',
    change: { whole: `# ${'x'.repeat(1_048_576)}\n` },
    faults: ['the file is larger than 1048576 bytes, the most allowed'],
  },
  {
    because: 'nesting without end',
    change: { whole: `listen: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n` },
    faults: ['1:1: nested too deeply'],
  },
];
