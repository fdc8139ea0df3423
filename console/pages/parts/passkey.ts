import { type Html, html } from '../../html.ts';
import type { Site } from '../../site.ts';
import { type Form, form, hidden } from './form.ts';

/** A form that the passkey script fills in; see assets/passkey.mjs. */
export interface PasskeyFormOptions {
  readonly kind: 'get' | 'create';
  /** What WebAuthn Level 3 calls the options' JSON: strings in base64url. */
  readonly options: unknown;
  readonly button: string;
  readonly look?: 'first' | 'second';
  /** Above the button. */
  readonly content?: Html | undefined;
  /** Passkeys are also offered in the field for the name (conditional mediation). */
  readonly quiet?: boolean;
  /** Said where there is no script or no passkey; not where the page has another way in sight. */
  readonly unsupported?: boolean;
}

/** Field with the browser's answer, as JSON. */
export const PASSKEY_FIELD = 'passkey';

export function passkeyForm(site: Site, target: Form, options: PasskeyFormOptions): Html {
  const { passkey } = site.texts;
  return form(
    target,
    html`${hidden(PASSKEY_FIELD, '')}${options.content}
${options.unsupported === true && html`<p class="notice" data-passkey-unsupported="">${passkey.unsupported}</p>`}
<button class="button ${options.look ?? 'first'}" type="button" data-passkey-start="" hidden>${options.button}</button>
<p class="said" role="status" data-passkey-said=""></p>`,
    {
      data: {
        passkey: options.kind,
        options: JSON.stringify(options.options),
        failed: passkey.failed,
        ...(options.quiet === true ? { quiet: 'yes' } : {}),
      },
    },
  );
}
