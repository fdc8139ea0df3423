/** One line of the checker's log. `codes` and `sentence` are written for an operator; neither holds row content. */
export interface LogLine {
  readonly level: 'info' | 'warning' | 'error';
  readonly event:
    | 'started'
    | 'stopped'
    | 'state'
    | 'finding'
    | 'epoch'
    | 'baseline'
    | 'seal'
    | 'definitions-unstable'
    | 'alarm'
    | 'socket'
    | 'signal';
  readonly database?: string;
  readonly codes?: readonly string[];
  /** What a finding is about: a table, a trigger, an account. */
  readonly object?: string;
  readonly sentence: string;
  /** What would put it right: SQL, or commands for the administrator. */
  readonly remedy?: readonly string[];
}

export type Log = (line: LogLine) => void;

/** JSON lines, written synchronously enough for stderr; a closed stderr never stops the checker. */
export function jsonLog(stream: { write(text: string): unknown }): Log {
  return (line) => {
    stream.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
  };
}
