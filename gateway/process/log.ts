/** The process's own log: one JSON object a line on standard error. Never anything of a request's content. */
export function log(
  level: 'info' | 'warning' | 'error',
  event: string,
  detail: Readonly<Record<string, unknown>> = {},
): void {
  process.stderr.write(
    `${JSON.stringify({ time: new Date().toISOString(), level, event, pid: process.pid, ...detail })}\n`,
  );
}
