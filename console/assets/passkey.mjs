// The one script of the pages: asks the browser for a passkey and puts its answer into the form (WebAuthn Level 3).
// A form says what it wants: data-passkey="get" or "create", and data-options with the options as JSON.
// Without this script, or a browser that has passkeys, the buttons stay hidden and the other ways are there.

const decode = (text) => {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
};
const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
const withIds = (list) => list?.map((one) => ({ ...one, id: decode(one.id) }));

const ASKED = {
  get: async (options, more) => {
    const publicKey = {
      ...options,
      challenge: decode(options.challenge),
      allowCredentials: withIds(options.allowCredentials),
    };
    const made = await navigator.credentials.get({ publicKey, ...more });
    const { authenticatorData, clientDataJSON, signature, userHandle } = made.response;
    return answer(made, {
      authenticatorData: encode(authenticatorData),
      clientDataJSON: encode(clientDataJSON),
      signature: encode(signature),
      ...(userHandle ? { userHandle: encode(userHandle) } : {}),
    });
  },
  create: async (options) => {
    const publicKey = {
      ...options,
      challenge: decode(options.challenge),
      user: { ...options.user, id: decode(options.user.id) },
      excludeCredentials: withIds(options.excludeCredentials),
    };
    const made = await navigator.credentials.create({ publicKey });
    return answer(made, {
      clientDataJSON: encode(made.response.clientDataJSON),
      attestationObject: encode(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    });
  },
};

const answer = (made, response) => ({
  id: made.id,
  rawId: encode(made.rawId),
  type: made.type,
  ...(made.authenticatorAttachment ? { authenticatorAttachment: made.authenticatorAttachment } : {}),
  clientExtensionResults: made.getClientExtensionResults(),
  response,
});

/** The quiet offer in the field for the name: at most one request may wait at a time. */
let waiting;

const ask = async (form, more = {}) => {
  const made = await ASKED[form.dataset.passkey](JSON.parse(form.dataset.options), more);
  form.elements.passkey.value = JSON.stringify(made);
  form.requestSubmit();
};

const prepare = (form) => {
  const start = form.querySelector('[data-passkey-start]');
  const said = form.querySelector('[data-passkey-said]');
  form.querySelector('[data-passkey-unsupported]')?.setAttribute('hidden', '');
  start.hidden = false;
  for (const shown of document.querySelectorAll('[data-passkey-shown]')) shown.hidden = false;
  start.addEventListener('click', async (event) => {
    event.preventDefault();
    waiting?.abort();
    said.textContent = '';
    start.setAttribute('aria-disabled', 'true');
    try {
      await ask(form);
    } catch {
      // Which of the ways it failed in, browsers do not say, so that sites cannot find out what people have.
      said.textContent = form.dataset.failed;
    } finally {
      start.removeAttribute('aria-disabled');
    }
  });
};

const offerQuietly = async (form) => {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  waiting = new AbortController();
  try {
    await ask(form, { mediation: 'conditional', signal: waiting.signal });
  } catch {
    // Not taken up; the button is still there.
  }
};

if (window.PublicKeyCredential && navigator.credentials) {
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    prepare(form);
    if (form.dataset.quiet) void offerQuietly(form);
  }
}
