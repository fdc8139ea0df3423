/**
 * What a file is by its first bytes. A table of its own: recognising must be synchronous, and only what is in the
 * table can be allowed, so that nothing is a file type by its name alone.
 */

type Test = (bytes: Buffer) => boolean;

const starts = (hex: string, at = 0): Test => {
  const magic = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return (bytes) => bytes.subarray(at, at + magic.length).equals(magic);
};
const latin = (text: string, at = 0): Test => starts(Buffer.from(text, 'latin1').toString('hex'), at);
const both =
  (...tests: readonly Test[]): Test =>
  (bytes) =>
    tests.every((test) => test(bytes));
const either =
  (...tests: readonly Test[]): Test =>
  (bytes) =>
    tests.some((test) => test(bytes));

/** ZIP files say what they are by the name of what they hold; looked for among the first names. */
const zipWith = (name: string): Test =>
  both(starts('504b0304'), (bytes) => bytes.subarray(0, 65_536).includes(name));
const isoMedia = (...brands: readonly string[]): Test =>
  both(latin('ftyp', 4), (bytes) =>
    brands.some((brand) => bytes.toString('latin1', 8, 12).startsWith(brand)),
  );

/** UTF-8 text without controls: no file of another kind, and nothing that a browser takes for a page. */
const text: Test = (bytes) => {
  let decoded: string;
  try {
    decoded = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return false;
  }
  return !/[\0-\x08\x0b\x0e-\x1f\x7f]/.test(decoded);
};

/** Media types that can be allowed, with their file name extensions. */
export const MEDIA: ReadonlyMap<string, { readonly test: Test; readonly extensions: readonly string[] }> =
  new Map([
    ['application/pdf', { test: latin('%PDF-'), extensions: ['pdf'] }],
    ['image/png', { test: starts('89504e470d0a1a0a'), extensions: ['png'] }],
    ['image/jpeg', { test: starts('ffd8ff'), extensions: ['jpg', 'jpeg', 'jpe'] }],
    ['image/gif', { test: either(latin('GIF87a'), latin('GIF89a')), extensions: ['gif'] }],
    ['image/webp', { test: both(latin('RIFF'), latin('WEBP', 8)), extensions: ['webp'] }],
    ['image/tiff', { test: either(starts('49492a00'), starts('4d4d002a')), extensions: ['tif', 'tiff'] }],
    ['image/bmp', { test: latin('BM'), extensions: ['bmp'] }],
    ['image/heic', { test: isoMedia('heic', 'heix', 'mif1', 'msf1'), extensions: ['heic', 'heif'] }],
    ['application/dicom', { test: latin('DICM', 128), extensions: ['dcm', 'dicom'] }],
    ['video/mp4', { test: isoMedia('isom', 'mp4', 'avc1', 'iso'), extensions: ['mp4', 'm4v'] }],
    ['video/quicktime', { test: isoMedia('qt'), extensions: ['mov'] }],
    [
      'audio/mpeg',
      { test: either(latin('ID3'), starts('fffb'), starts('fff3'), starts('fff2')), extensions: ['mp3'] },
    ],
    ['audio/wav', { test: both(latin('RIFF'), latin('WAVE', 8)), extensions: ['wav'] }],
    ['audio/ogg', { test: latin('OggS'), extensions: ['ogg', 'oga', 'opus'] }],
    ['application/rtf', { test: latin('{\\rtf'), extensions: ['rtf'] }],
    [
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      { test: zipWith('word/'), extensions: ['docx'] },
    ],
    [
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      { test: zipWith('xl/'), extensions: ['xlsx'] },
    ],
    [
      'application/vnd.oasis.opendocument.text',
      { test: zipWith('application/vnd.oasis.opendocument.text'), extensions: ['odt'] },
    ],
    ['application/zip', { test: starts('504b0304'), extensions: ['zip'] }],
    ['text/plain', { test: text, extensions: ['txt', 'text', 'log', 'hl7'] }],
    ['text/csv', { test: text, extensions: ['csv'] }],
    ['application/json', { test: isJson, extensions: ['json'] }],
    ['application/fhir+json', { test: isJson, extensions: ['json'] }],
  ]);

function isJson(bytes: Buffer): boolean {
  if (!text(bytes)) return false;
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** What a browser that guesses takes for a page or a script (WHATWG MIME Sniffing §7.1), within what it looks at. */
const ACTIVE =
  /^(?:[\t\n\f\r ]|\ufeff|\u00ef\u00bb\u00bf)*(?:<(?:!doctype|html|head|body|script|iframe|h1|div|font|table|a|style|title|b|br|p|svg|math|!--|\?xml|\?php|%)[\s>]|<\?|<%|#!|MZ|\x7fELF)/i;
/** Server pages in a file of another kind: images that are PHP as well. */
const SERVER_PAGE = /<\?php|<\?=|<%@|<script[\s>]/i;

/** Whether a file is one of the allowed types by its content, and nothing that would be run or shown as a page. */
export function isAllowed(bytes: Buffer, allowed: readonly string[]): boolean {
  if (bytes.length === 0) return false;
  if (ACTIVE.test(bytes.toString('latin1', 0, 1024))) return false;
  if (!allowed.some((type) => MEDIA.get(type)?.test(bytes) === true)) return false;
  return (
    !SERVER_PAGE.test(bytes.toString('latin1', 0, 65_536)) &&
    !SERVER_PAGE.test(bytes.toString('latin1', -65_536))
  );
}

/** Extensions that some server runs, wherever in a name they stand. */
const RUN =
  /\.(?:php\d?|phtml|phar|phps|pht|inc|jspx?|jsw|jspf|aspx?|ashx|asmx|cer|cgi|pl|pyc?|rb|sh|bash|exe|dll|com|bat|cmd|ps1|vbs?|js|mjs|jar|war|hta|msi|scr|lnk|htaccess|htpasswd|ini|config|svg|s?html?|xht(?:ml)?|xml|xsl)(?=$|[.;:\s%])/i;
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** Whether a name is a plain one, of which every system makes the same file, and fits what the file may be. */
export function isFileName(name: string, allowed: readonly string[]): boolean {
  if (name.length === 0 || name.length > 200) return false;
  // No separators, no wildcards, no controls, nothing that changes the direction of what is read.
  if (
    /[\\/:*?"<>|;%$`'&~{}[\]\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/.test(name)
  )
    return false;
  if (/^[.\s-]|[.\s]$|\.\./.test(name) || RUN.test(name) || DEVICE.test(name)) return false;
  const dot = name.lastIndexOf('.');
  const extension = dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
  return allowed.some((type) => MEDIA.get(type)?.extensions.includes(extension) === true);
}
