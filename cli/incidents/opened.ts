import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { openActivityLog } from '../../activity-log/index.ts';
import { loadGatewaySettings } from '../../config/index.ts';
import type { IncidentEvent } from '../../contracts/activity.ts';
import { ChartgateError } from '../../contracts/errors.ts';
import { parseTenantId, type RequestId } from '../../contracts/identifiers.ts';
import type { GatewaySettings, IncidentSettings } from '../../contracts/settings.ts';

/** Name of the chain of the activity log in which looks at incidents stand. */
const CHAIN = 'incidents';

export interface Opened {
  readonly settings: GatewaySettings;
  readonly incidents: IncidentSettings;
}

/** @throws ChartgateError `usage` for settings that keep no incidents */
export function openIncidents(config: string): Opened {
  const settings = loadGatewaySettings(resolve(config));
  const { incidents } = settings;
  if (incidents === undefined)
    throw new ChartgateError('usage', `${config}: these settings have no "incidents", so that none are kept`);
  return { settings, incidents };
}

/** Who sits at the terminal: the account that became the gateway's by `sudo`, where there is one. */
export function whoLooks(): string {
  const account = accountName();
  const before = process.env.SUDO_USER;
  return before !== undefined && /^[A-Za-z0-9_.@-]{1,64}$/.test(before) && before !== account
    ? `${before} as ${account}`
    : account;
}

/** Accounts of containers often have no name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? -1}`;
  }
}

/**
 * Writes down that somebody looks, durable before anything is shown: nobody sees an incident unrecorded.
 * @throws ChartgateError `activity-log-unavailable`
 */
export async function recordLook(
  { settings }: Opened,
  look: {
    readonly event: IncidentEvent;
    readonly request: RequestId | '';
    readonly tenant: string;
    readonly because: string;
  },
): Promise<void> {
  const log = await openActivityLog({ directory: settings.activityLog.directory, name: CHAIN });
  try {
    await log.append({
      kind: 'incident',
      event: look.event,
      request: look.request,
      tenant: parseTenantId(look.tenant) ?? '',
      account: whoLooks(),
      issuer: '',
      subject: '',
      because: look.because,
    });
  } finally {
    await log.close();
  }
}
