import { relative } from 'node:path';
import { EXIT } from '../cli/output.ts';
import { help, listing, parseRequest } from './arguments.ts';
import { resultsFolder } from './machine.ts';
import { stopEverything } from './processes.ts';
import { formatResult, isOk, toJson, writeJson } from './report.ts';

const request = parseRequest(process.argv.slice(2));

switch (request.kind) {
  case 'help':
    console.log(help());
    break;
  case 'wrong':
    console.error(`measure: ${request.message}\nMeasurements:\n${listing()}\n(see --help)`);
    process.exitCode = EXIT.usage;
    break;
  case 'run':
    process.exitCode = await run(request);
    break;
}

async function run(wanted: Extract<typeof request, { kind: 'run' }>): Promise<number> {
  const startedAt = new Date();
  const options = {
    short: wanted.short,
    only: wanted.only,
    minutes: wanted.minutes,
    progress: (line: string) => console.error(`  ${line}`),
  };
  try {
    const result = await wanted.measurement.run(options);
    const json = toJson(wanted.name, options, startedAt, result);
    console.log(`${formatResult(result)}\n`);
    const file = await writeJson(resultsFolder, wanted.name, json);
    console.log(`Every figure: ${relative(process.cwd(), file)}`);
    if (wanted.json) console.log(JSON.stringify(json));
    return isOk(result) ? EXIT.ok : EXIT.finding;
  } catch (error) {
    console.error(`measure: ${wanted.name} could not be measured.`);
    console.error(error instanceof Error ? error.stack : String(error));
    if (wanted.json) {
      const problem = error instanceof Error ? error.message : String(error);
      console.log(JSON.stringify({ measurement: wanted.name, problems: [problem], ok: false }));
    }
    return EXIT.internal;
  } finally {
    await stopEverything();
  }
}
