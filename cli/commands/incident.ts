import { type Command, InvalidArgumentError } from 'commander';
import { readActivityLog, type ShownRecord } from '../../activity-log/index.ts';
import { parseRequestId, type RequestId } from '../../contracts/identifiers.ts';
import { keptIncidents } from '../../gateway/incidents/folder.ts';
import { type Incident, IncidentSealer } from '../../gateway/incidents/record.ts';
import { type Opened, openIncidents, recordLook } from '../incidents/opened.ts';
import { moment, printed } from '../incidents/print.ts';
import { EXIT } from '../output.ts';

interface Common {
  readonly config: string;
  readonly json?: true;
}

interface Show extends Common {
  readonly because: string;
}

const NOTES = `
Run it on the gateway's host as the gateway's OS user: what may read the sealing key may read incidents. Every look is
recorded in the activity log (chain "incidents") before anything is shown, with the account and what "--because" says.

Exit codes: ${EXIT.ok} shown, ${EXIT.finding} there is no such incident, or none any more, ${EXIT.usage} wrong usage,
${EXIT.configuration} faulty settings, ${EXIT.unavailable} the folder or the activity log cannot be used.`;

/** `chartgate incident show|list`. */
export function register(program: Command): void {
  const incident = program
    .command('incident')
    .description('What the EMR said where a client got an answer of the gateway’s instead, by request id.');
  const add = (name: string, description: string): Command =>
    incident
      .command(name)
      .description(description)
      .requiredOption('--config <file>', "the gateway's settings")
      .option('--json', 'print the result as JSON')
      .addHelpText('after', NOTES);
  add('show', 'Print one: why it was refused, and the original answer.')
    .argument('<request>', 'the number that the client was given', requestId)
    .requiredOption('--because <ticket>', 'what for: the number of a ticket, never a name', ticket)
    .action(show);
  add('list', 'Print which there are, the newest first, without opening any.')
    .option('--since <hours>', 'only of so many hours back', hours)
    .action(list);
}

async function show(request: RequestId, options: Show): Promise<void> {
  const opened = openIncidents(options.config);
  const sealer = new IncidentSealer(opened.incidents.keys);
  let found: Incident | undefined;
  for await (const sealed of keptIncidents(opened.incidents.directory, bounds(opened))) {
    if (sealed.request !== request) continue;
    found = sealer.open(sealed);
    break;
  }
  await recordLook(opened, {
    event: found === undefined ? 'not-found' : 'shown',
    request,
    tenant: found?.tenant ?? '',
    because: options.because,
  });
  const records = await recordsOf(opened, request);
  if (found === undefined) process.exitCode = EXIT.finding;
  if (options.json) {
    const shown = found === undefined ? null : { ...found, body: found.body.toString('base64') };
    console.log(JSON.stringify({ incident: shown, records }, null, 2));
    return;
  }
  console.log(found === undefined ? 'No original is kept under this number.' : await printed(found));
  for (const { time, entry } of records) console.log(`${time}  ${JSON.stringify(entry)}`);
}

/** What the activity log has of it: why, also where the EMR was never asked. */
async function recordsOf({ settings }: Opened, request: RequestId): Promise<ShownRecord[]> {
  const records: ShownRecord[] = [];
  for await (const record of readActivityLog(settings.activityLog.directory, { request })) {
    if (record.entry.kind !== 'incident') records.push(record);
  }
  return records;
}

async function list(options: Common & { readonly since?: number }): Promise<void> {
  const opened = openIncidents(options.config);
  const from = options.since === undefined ? 0 : Date.now() - options.since * 3_600_000;
  const found: { readonly request: string; readonly time: number; readonly bytes: number }[] = [];
  for await (const { request, time, bytes } of keptIncidents(opened.incidents.directory, bounds(opened))) {
    if (time >= from) found.push({ request, time, bytes: bytes.length });
  }
  await recordLook(opened, { event: 'listed', request: '', tenant: '', because: '' });
  if (options.json) console.log(JSON.stringify(found, null, 2));
  else if (found.length === 0) console.log('none');
  else
    for (const { request, time, bytes } of found)
      console.log(`${request}  ${moment(time)}  ${bytes} bytes sealed`);
}

const bounds = ({ incidents }: Opened) => ({ keepMs: incidents.keepMs, now: Date.now() });

function requestId(text: string): RequestId {
  const id = parseRequestId(text.toUpperCase());
  if (id === undefined) throw new InvalidArgumentError('It must be 26 characters of Crockford base 32.');
  return id;
}

/** No room for prose, in which names would soon stand. */
function ticket(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9#/._:-]{1,63}$/.test(text))
    throw new InvalidArgumentError('It must be 2 to 64 letters, digits and #/._:- such as HD-1234.');
  return text;
}

function hours(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of hours.');
  return Number(text);
}
