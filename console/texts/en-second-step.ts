export const minutes = (count: number): string => (count === 1 ? 'a minute' : `${count} minutes`);

/** Second steps: using them, setting them up, and what to do without them. */
export const secondStep = {
  factor: {
    heading: 'Second step',
    stepUpHeading: 'Confirm that it is you',
    stepUpIntro: 'What you are about to open needs a fresh confirmation.',
    intros: {
      totp: 'Open your authenticator app and enter the six digits that it shows now.',
      'recovery-code': 'Enter one of the recovery codes that you kept. Each works once.',
      passkey: 'Use your passkey: your device will ask for your fingerprint, face or PIN.',
    },
    labels: { totp: 'Six-digit code', 'recovery-code': 'Recovery code' },
    submit: 'Continue',
    passkey: 'Use passkey',
    others: {
      totp: 'Use my authenticator app',
      'recovery-code': 'Use a recovery code',
      passkey: 'Use a passkey',
    },
    recovery: 'I can use none of these',
    problems: {
      wrong: {
        totp: 'The code is not right, or was used already. Wait for the next one and try again',
        'recovery-code': 'The recovery code is not right, or was used already',
        passkey: 'The passkey was not accepted',
      },
      missing: {
        totp: 'Enter the six digits',
        'recovery-code': 'Enter a recovery code',
        passkey: 'Use your passkey, or choose another way',
      },
      later: (seconds: number) =>
        `There were too many wrong tries. Please wait ${minutes(Math.max(1, Math.ceil(seconds / 60)))}, then try again.`,
      closed: 'This way of signing in was switched off after many wrong tries. Please ask an administrator.',
    },
  },
  stepUp: {
    heading: 'Confirm that it is you',
    intro: 'What you are about to open needs a fresh sign-in.',
    within: (count: number) => `It asks for one within the last ${minutes(count)}.`,
    kept: 'What you entered is kept and will be there when you come back.',
    submit: 'Sign in again',
  },
  enrol: {
    heading: 'Protect your account',
    required: 'Besides your password you need a second step to sign in. It takes two minutes to set up.',
    optional: 'A second step keeps others out, even if they learn your password.',
    totp: 'Authenticator app',
    totpHint: 'An app on your phone shows a new code every 30 seconds. Works everywhere.',
    totpSubmit: 'Set up an app',
    passkey: 'Passkey',
    passkeyHint:
      'Your fingerprint, face, PIN or security key. The safest way: no code to type, nothing to be tricked out of you.',
    passkeySubmit: 'Set up a passkey',
    later: 'Not now',
    other: 'Choose another way',
  },
  enrolTotp: {
    heading: 'Set up your app',
    install: 'Open an authenticator app on your phone. If you have none, install one from your app store.',
    scan: 'Let the app scan this picture.',
    typed: 'If you cannot scan it, type this key into the app:',
    picture: 'QR code with the key that is written below it',
    confirm: 'Enter the six digits that the app shows now.',
    label: 'Six-digit code',
    account: (name: string) => `The app will list it under ${name}.`,
    submit: 'Confirm',
    problems: {
      wrong:
        'The code is not right. Check that the clock of your phone is set automatically, and enter the code shown now',
      missing: 'Enter the six digits',
    },
  },
  enrolPasskey: {
    heading: 'Set up a passkey',
    intro:
      'Your device will ask for your fingerprint, face, PIN or security key. None of it leaves your device.',
    name: 'Name for this passkey',
    nameHint: 'So that you recognise it later, such as “Work laptop”.',
    submit: 'Set up passkey',
    problems: {
      refused: 'The passkey could not be set up. Please try again or choose another way',
      missing: 'Press “Set up passkey”, or choose another way',
      'name-missing': 'Enter a name',
    },
  },
  recoveryCodes: {
    heading: 'Keep your recovery codes',
    intro:
      'If you lose your phone or passkey, each of these codes lets you in once. They are shown only now.',
    how: 'Print this page or write the codes down, and keep them where nobody else finds them. Not with your password.',
    list: 'Recovery codes',
    account: (name: string) => `Account: ${name}`,
    kept: 'I have kept these codes',
    submit: 'Continue',
    problems: { 'not-kept': 'Confirm that you have kept the codes. They cannot be shown again' },
  },
  recovery: {
    heading: 'When you cannot sign in',
    ask: 'Ask an administrator of your organisation. Two of them confirm your request and then give you a code. For your safety nobody can do it alone, and nothing is sent by e-mail.',
    haveCode: 'I have a code',
    login: 'Username',
    code: 'Code from your administrators',
    submit: 'Continue',
    signIn: 'Back to sign-in',
    problems: {
      wrong: 'The username or the code is not right, or the code has expired',
      'login-missing': 'Enter your username',
      'code-missing': 'Enter the code',
    },
  },
};
