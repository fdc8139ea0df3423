import { type Reading, STRICT } from './rule.ts';
import { COMMAND_PATTERN } from './rules/command-words.ts';
import { RULES } from './rules/index.ts';
import { CLEAR_FUNCTIONS, SCHEMA_NAMES, WORD_FUNCTIONS } from './rules/sql-words.ts';

/**
 * Whether any rule could hold for a text under a reading. A text that cannot matter is never put to the engine: most of
 * what a request brings is names, numbers, dates and codes. That nothing is left out here that a rule would have found
 * is a property under test (test/inspection/injection/prefilter.test.ts).
 */
export function mayMatter(text: string, reading: Reading): boolean {
  switch (reading) {
    case 'clinical':
      return !isUsual(text) && clinicalMatters(text);
    case 'narrative':
      return matters(text, NARRATIVE);
    case 'parameter':
    case 'plain':
      return !isPlain(text);
    case 'path':
    case 'file':
      return true;
  }
}

/** Words that rules for prose begin with; a text without any of them, and without a mark below, is prose. */
const WORDS = String.raw`union|unionselect|__proto__|drop|delete|insert|update|select|into|load|exec|execute|declare|waitfor|procedure|shutdown|pg_\w*|sleep|benchmark|extractvalue|updatexml|load_file|xp_\w*|dbms_\w*|utl_\w*|lo_(?:im|ex)port|group_concat|json_extract|xmltype|randomblob|load_extension|current_setting|query_to_xml|database_to_xml|information_schema|sqlite_master|sysobjects|syscolumns|sysusers|mysql|performance_schema|__proto__|constructor|prototype|cmd|powershell|subprocess|__import__|jndi`;

/** What no rule for prose holds without, unless one of the words or of the `WORDY` marks is there. */
const RARE = String.raw`[$\x60\\{}'"*#%;&|(<\x00-\x08\x0a-\x0c\x0e-\x1f\x7f\xac\xad\u0100-\uffff]`;

/** Marks without which, and without those below, no rule for prose holds. `<` is left to each of the two. */
const MARKED = String.raw`[$\x60\\{}\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]|['"\x60][\s)]*(?:x?or|and|\|\||&&)|\b(?:or|and)[\s(]+['"]?\d|\.\.\\|\/\*|[a-z]:\\|#set\b|%(?:[0-9a-f]{2}|u[0-9a-f]{4})|\xac\xed|(?:[;&|]\s*|\n[ \t]*)(?:/(?:usr/)?(?:s?bin/)|curl|wget|bash|nc\b|ncat|netcat|whoami|uname|ifconfig|nslookup|powershell|chmod|chown|python|perl|ruby|php|cat\b|rm\b|ls\b|cp\b|mv\b|sh\b|(?:ba|z|k|da)sh)|\(\s*\)\s*\{|(?:exec|system|passthru|popen|proc_open)\s*\(`;

/** The same for marks that can stand in a text without a rare one. */
const WORDY = String.raw`/(?:(?:etc|proc|dev)/|\.|latest/|computemetadata|metadata/|opc/)|\.\./|169\.254\.|168\.63\.|192\.0\.0|100\.100\.|\b(?:php|phar|expect|gopher|dict|jar|netdoc|compress\.\w+|zlib|ssh2\.\w+|ogg|rar|glob|zip|ldaps?|rmi):\/\/|script\s*:|\bdata\s*:|[oac]:\+?\d|ro0ab|unionselect|__proto__|kztaau|cs7qaf|aced0005|__define|__lookup|\bos\s*\.|\b(?:or|and)\s+\d|(?:^|[^a-z0-9_])(?:${WORDS})(?:[^a-z0-9_]|$)`;

/** Half the work of the next: what it does not find has no rare mark, and without one the next finds the same. */
const UNUSUAL = new RegExp(`${RARE}|${WORDY}`, 'i');
const CLINICAL = new RegExp(`${MARKED}|${WORDY}|&(?:#|[a-z]{2,8};?)|<\\s*[a-z/!?%#]`, 'i');
/** Markup is what a narrative is made of: only that which is not common in it counts. */
const NARRATIVE = new RegExp(
  String.raw`${MARKED}|${WORDY}|<\s*[!?%#]|<[\s/]*(?:script|iframe|frame|object|embed|applet|form|input|button|select|textarea|base|link|meta|svg|math|style|html|head|body|audio|video|source|template|marquee|xml|\w+\s*:)|[\s/"']on[a-z]{3,30}\s*=|\bstyle\s*=`,
  'i',
);
const BEYOND_LATIN = /[^\x00-\xff]/;

function matters(text: string, marks: RegExp): boolean {
  if (marks.test(text)) return true;
  if (!BEYOND_LATIN.test(text)) return false;
  const folded = text.normalize('NFKC');
  return folded !== text && marks.test(folded);
}

/** Whether prose can be spared without the longer look. Exported for its test. */
export function isUsual(text: string): boolean {
  return !UNUSUAL.test(text);
}

/** The longer look. Exported for the same test. */
export function clinicalMatters(text: string): boolean {
  return matters(text, CLINICAL);
}

/** Letters and digits in words, with single separators; a decimal; a day or time; a plain e-mail address. */
const PLAIN = /^[A-Za-z0-9]{1,40}(?:[ -][A-Za-z0-9]{1,40}){0,7}$/;
const NUMBER = /^[+-]?\d{1,8}(?:\.\d{1,8})?$/;
const MOMENT = /^\d{4}-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?)?$/;
const MAIL =
  /^[a-z][a-z0-9]{1,30}(?:[.-][a-z0-9]{1,30}){0,3}@[a-z][a-z0-9]{1,30}(?:\.[a-z][a-z0-9]{1,30}){1,3}$/;

/** Words that some rule begins with, or that libinjection takes for SQL. */
const SPECIAL: ReadonlySet<string> = new Set([
  ...wordsOfRules(),
  ...[
    ...CLEAR_FUNCTIONS,
    ...WORD_FUNCTIONS,
    ...SCHEMA_NAMES,
    `select union distinct from where and or xor not nand nor like rlike regexp glob between in is null true false having
    group order by limit offset into outfile dumpfile insert update delete drop alter create truncate table database
    schema view index procedure function trigger user role exec execute declare set call handler merge grant revoke
    rename load infile waitfor delay case when then else end if exists all any some join inner outer left right natural
    cross on as asc desc using values div mod binary collate escape sounds with recursive begin commit rollback analyse
    analyze placing interval prepare deallocate shutdown kill use show describe explain return returns prototype
    constructor proto script javascript vbscript livescript jscript mocha data eval alert prompt confirm function
    window document location navigator import export require process console module global child jndi runtime
    processbuilder java javax ognl groovy php phpinfo http https ftp ftps localhost kubernetes loopback server
    entity doctype element attlist notation cdata xmlns alias http1 jmx regexp new var void throw delete typeof
    exist defined errorlevel cmdextversion equ neq lss leq gtr geq for do goto cmd powershell pwsh net reg sc wmic at
    get post head put options trace connect patch ehlo helo mail rcpt auth localdomain expression
    error errors server client memberaccess forname mysql pg sys master resolved response chunks formdata prefix
    unhandled system core kernel`,
  ]
    .join(' ')
    .split(/\s+/),
]);

/** Every word that stands in an expression of the strict rules as it is. */
function wordsOfRules(): readonly string[] {
  const strict = RULES.filter(({ readings }) => readings.some((reading) => STRICT.includes(reading)));
  return strict.flatMap(({ expressions }) =>
    expressions.flatMap(
      (each) =>
        each
          .replace(/\\[a-zA-Z]/g, ' ')
          .toLowerCase()
          .match(/[a-z0-9]{2,}/g) ?? [],
    ),
  );
}

function isPlain(text: string): boolean {
  if (NUMBER.test(text) || MOMENT.test(text)) return true;
  if (MAIL.test(text)) return !/local|internal|script|java|php|sql/.test(text);
  if (!PLAIN.test(text)) return false;
  // What a second decoding might make text of.
  for (const word of text.toLowerCase().split(/[ -]/)) {
    if (SPECIAL.has(word) || FRAGMENT.test(word) || COMMAND_PATTERN.test(word)) return false;
  }
  // One long word may be base64 of something else; one that looks like a word is not decoded.
  return text.length < 8 || text.includes(' ') || text.includes('-') || ORDINARY_WORD.test(text);
}

const ORDINARY_WORD = /^(?:[A-Za-z][a-z]{7,11}|[A-Z]{8,11})$/;
/** Parts of words that rules look for anywhere: names of classes, of gadgets, of files. */
const FRAGMENT =
  /script|select|union|jndi|java|http|0x|passwd|shadow|xmldecoder|transformer|closure|factory|processbuilder|runtime|fromcharcode|sleep|benchmark|ro0|kzt|cs7|aced|phpinfo|sysobject|schema|serial|ansible|chef|visudo|localhost|proto|constructor|\d{9,}|^0b|rules|sess|waitfor|docker|jenkins|vagrant|htaccess|htpasswd|nbproject|robomongo|phpmyadmin|xp$|dbms|northwind|tempdb|msdb|msdasql|sqloledb|adventureworks|openquery|autonomous|rownum|execsync|filesync|dirsync|stream|interpreter|annotation|badattribute|jdbcrow|templates|classloader|activex|xmlhttp|storage|declaredmethod|objectinput|ognl|freemarker|groovy|clojure|weblogic|struts/;
