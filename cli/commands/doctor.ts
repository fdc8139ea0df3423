import type { Command } from 'commander';
import { ChartgateError } from '../../contracts/errors.ts';
import { EXIT } from '../output.ts';

interface Given {
  readonly gateway?: string;
  readonly checker?: string;
  readonly issuer?: string;
  readonly emrAddress?: readonly string[];
  readonly from?: string;
  readonly only?: readonly string[];
  readonly sqlAttempts: boolean;
  readonly json?: true;
}

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

/** `chartgate doctor`: whether the isolation that the documentation promises is true on this machine. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description(
      'Check, by really trying, whether gateway, checker, issuer, EMR and database are separated here as promised.',
    )
    .option('--gateway <file>', 'settings of the gateway')
    .option('--checker <file>', 'settings of the integrity checker')
    .option('--issuer <file>', 'settings of the embedded issuer, where there is one')
    .option('--emr-address <host:port>', 'where clients must not reach the EMR; tried from here', collect)
    .option('--from <address>', 'local address to try --emr-address from')
    .option('--no-sql-attempts', "do not try forbidden statements with the checker's SQL account")
    .option('--only <check>', 'only this check; may be given several times', collect)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Run it as root on the gateway's host: only root can try what each of the users can do, and it is the one
command that reads the settings of all processes. What it cannot look at it says, with the reason. It changes nothing.

The forbidden SQL statements are made so that they would fail even if they were allowed. The server counts them all
the same: the checker then compares everything once more, and a write that is under way in that instant is answered
with 503. Leave them out with --no-sql-attempts while patients wait.

Examples:
  $ sudo chartgate doctor --gateway /etc/chartgate/gateway/gateway.yaml --checker /etc/chartgate/checker/checker.yaml
  $ sudo chartgate doctor --gateway … --checker … --issuer /etc/chartgate/issuer/issuer.yaml
  $ chartgate doctor --emr-address emr.internal:80      (on a machine of the clients)

Exit codes: ${EXIT.ok} nothing failed (there may be warnings and skipped checks), ${EXIT.finding} something is not as promised, ${EXIT.usage} wrong usage.`,
    )
    .action(async (given: Given) => {
      const { gateway, checker, issuer, emrAddress = [], from, sqlAttempts, only } = given;
      if ([gateway, checker, issuer].every((file) => file === undefined) && emrAddress.length === 0) {
        throw new ChartgateError(
          'usage',
          'nothing to look at: give --gateway and --checker (and --issuer), or --emr-address',
        );
      }
      // Loaded here, so that other commands do not start with the code of both processes.
      const { settingsFrom, readGatewaySources } = await import('../../config/index.ts');
      const { policyRules } = await import('../../gateway/process/runtime.ts');
      const { CHECKS, examine } = await import('../doctor/index.ts');
      const checkName = (name: string): keyof typeof CHECKS => {
        if (Object.hasOwn(CHECKS, name)) return name as keyof typeof CHECKS;
        throw new ChartgateError(
          'usage',
          `there is no check ${name}; there are: ${Object.keys(CHECKS).join(', ')}`,
        );
      };
      const { count, reportJson, reportText } = await import('../doctor/report.ts');
      const outcomes = await examine(
        { gateway, checker, issuer },
        { emrAddresses: emrAddress, from, sqlAttempts, now: Date.now, only: only?.map(checkName) },
        (file, files) => settingsFrom(readGatewaySources(file, files), { files, policyRules }),
      );
      if (given.json) console.log(JSON.stringify(reportJson(outcomes), null, 2));
      else
        console.log(
          reportText(outcomes, process.stdout.isTTY === true && process.env.NO_COLOR === undefined),
        );
      if (count(outcomes, 'failed') > 0) process.exitCode = EXIT.finding;
    });
}
