import type { Command } from 'commander';

/** Options of every command that asks a server. */
export interface ServerOptions {
  readonly host?: string;
  readonly port?: string;
  readonly socket?: string;
  readonly user: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly schema: string;
  readonly auditSchema?: string;
  readonly json?: boolean;
}

/** Adds the options that say which server and schema. */
export function withServer(command: Command): Command {
  return command
    .requiredOption('--schema <name>', "the EMR's schema")
    .option('--audit-schema <name>', 'the schema of the audit (default: the EMR schema and _audit)')
    .option(
      '--host <name>',
      'database host (default: 127.0.0.1); beyond loopback TLS is required and verified',
    )
    .option('--port <number>', 'database port (default: 3306)')
    .option('--socket <path>', "the database's Unix socket, instead of host and port")
    .requiredOption('--user <name>', 'SQL user of the administrator')
    .option('--password-file <file>', "file with that user's password, readable for its owner only")
    .option('--ca <file>', "PEM of the authority of the server's certificate")
    .option('--json', 'print the result as JSON');
}
