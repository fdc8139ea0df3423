import type { Command } from 'commander';
import { confine, gatewayNeeds } from '../confine/index.ts';

/** `chartgate start`: the gateway process. */
export function register(program: Command): void {
  program
    .command('start')
    .description(
      'Start the gateway. SIGHUP reloads the configuration, whole or not at all; SIGTERM drains and stops.',
    )
    .requiredOption('-c, --config <file>', 'the gateway configuration (YAML)')
    .action(async (options: { config: string }) => {
      confine(() => gatewayNeeds(options.config));
      // Loaded here: a process that is about to begin anew has no use for it.
      const { log } = await import('../../gateway/process/log.ts');
      const { startGateway } = await import('../../gateway/process/supervisor.ts');
      const gateway = await startGateway(options.config, program.version() ?? 'unknown');
      console.log(
        JSON.stringify({
          event: 'ready',
          port: gateway.port,
          operations: gateway.operationsPort,
          workers: gateway.workerPids,
        }),
      );
      process.on('SIGHUP', () => {
        gateway.reload().then((fault) => {
          if (fault !== undefined) console.error(`chartgate: the configuration was not reloaded:\n${fault}`);
        });
      });
      let stopping = false;
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.on(signal, () => {
          if (stopping) return;
          stopping = true;
          log('info', 'draining');
          gateway.stop().then(() => process.exit(0));
        });
      }
    });
}
