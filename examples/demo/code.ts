// The code that somebody's authenticator app would show now, for people who try the demo without a phone.
import { readFileSync } from 'node:fs';
import { codeAt } from './people/authenticator.ts';

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: npm run -s demo:code .demo/people/uma.totp');
  process.exit(2);
}
let key = '';
try {
  key = readFileSync(file, 'utf8').trim();
} catch {
  console.error(`${file} cannot be read; the demo writes it when it is up, for the user who started it`);
  process.exit(4);
}
console.log(codeAt(key, Date.now()));
