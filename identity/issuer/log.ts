/** One line of JSON on stderr. Never a name, a token, a code, or what a person typed. */
export type IssuerLog = (
  event: string,
  facts?: Readonly<Record<string, string | number | boolean | undefined>>,
) => void;

export const stderrLog: IssuerLog = (event, facts = {}) => {
  const own = { at: new Date().toISOString(), part: 'issuer', event };
  // Own once more: no fact takes the place of the time.
  process.stderr.write(`${JSON.stringify({ ...own, ...facts, ...own })}\n`);
};

/**
 * `oidc-provider` writes advice for developers to the console: that its interactions, adapters and the like are
 * to be replaced, which they are. Call before it is loaded.
 */
export function quietProvider(): void {
  for (const level of ['info', 'warn'] as const) {
    const print = console[level].bind(console);
    console[level] = (...words: unknown[]) => {
      if (!String(words[0]).startsWith('oidc-provider ')) print(...words);
    };
  }
}
