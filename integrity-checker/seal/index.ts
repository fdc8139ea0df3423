export { originOf } from './checkpoint.ts';
export { noteSigner, readVerifier, verifierText } from './note.ts';
export { directRows, guardedRows } from './rows.ts';
export { Sealer, type SealerOptions } from './sealer.ts';
export { openSealSession } from './session.ts';
