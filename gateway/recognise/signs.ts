import type { ErrorSign } from '../../contracts/answer-rules.ts';

/**
 * One text by which an error is found, and what must stand around it for it to be one. Everything is read as bytes
 * (latin1). Proofs see a window of bounded length and nothing else, so that their cost is bounded too; none of them has
 * one repetition within another that could match the same characters.
 */
export interface Sign {
  readonly sign: ErrorSign;
  /** Found without regard to case. */
  readonly needle: string;
  /** Only as it is written here. */
  readonly cased?: true;
  /** Sticky: matched from where the needle begins. */
  readonly at?: RegExp;
  /** Somewhere in the window. */
  readonly near?: RegExp;
  /** Besides, close by, a word that errors use: by itself it is nothing bad. */
  readonly beside?: RegExp;
}

/** A quotation mark as HTML, JSON and plain text write it. */
const Q = String.raw`(?:\\?["'\`]|&quot;|&#0?39;|&#x27;|&#34;|&apos;)`;
/** How a path on the EMR's machine begins, in JSON too. */
const ROOT = String.raw`(?:\\?/|[A-Za-z]:\\{1,2}|phar:)`;

/** Words that stand beside an address, a path or a version in an error. */
const ERROR_WORD =
  /\b(?:errors?|exceptions?|fatal|failed|failure|denied|refused|unable to|could ?n(?:o|')t|cannot|can't|timed? ?out|unreachable|caused by|no such file|no route to host|not found on this server|server at)\b/i;

function signs(
  sign: ErrorSign,
  needles: readonly string[],
  proof: Omit<Sign, 'sign' | 'needle'> = {},
): Sign[] {
  return needles.map((needle) => ({ sign, needle, ...proof }));
}

const TRACES: readonly Sign[] = [
  ...signs('trace-php', [' on line '], {
    near: new RegExp(String.raw` in (?:<b>)?${ROOT}[^\n]{1,300} on line (?:<b>)?\d`),
  }),
  ...signs('trace-php', ['.php('], { near: new RegExp(String.raw`#\d{1,3} ${ROOT}.{1,300}\.php\(\d`) }),
  ...signs('trace-php', ['{main}'], { near: /#\d{1,3} \{main\}/ }),
  ...signs('trace-php', ['symfony\\component\\', 'illuminate\\', 'doctrine\\dbal\\', 'laminas\\'], {
    near: /(?:Exception|Error)\b/,
  }),
  ...signs('trace-java', ['.java:'], { near: /\([\w$]{1,200}\.java:\d/ }),
  ...signs('trace-java', ['(native method)', '(unknown source)'], {
    near: /\bat [\w$.<>/]{1,300}\((?:Native Method|Unknown Source)\)/,
  }),
  ...signs('trace-java', ['exception', 'java.lang.'], {
    near: /\b(?:[a-z][\w$]{0,60}\.){2,12}[A-Z][\w$]{0,100}(?:Exception|Error)\b/,
  }),
  ...signs('trace-dotnet', ['exception'], {
    near: /\bSystem(?:\.[A-Z]\w{0,60}){0,8}\.[A-Z]\w{0,80}Exception\b/,
  }),
  ...signs('trace-dotnet', [':line '], {
    near: new RegExp(String.raw` in ${ROOT}[^\n]{1,300}\.(?:cs|vb|fs):line \d`),
  }),
  ...signs('trace-dotnet', ['server error in '], { near: /Server Error in .{0,80}Application/i }),
  ...signs('trace-python', ['traceback (most recent call last)']),
  ...signs('trace-python', [', line '], {
    near: new RegExp(String.raw`\bFile ${Q}[^\n]{1,300}${Q}, line \d`),
  }),
  ...signs('trace-node', ['.js:', '.mjs:', '.cjs:', '.ts:', 'node:internal/'], {
    near: new RegExp(
      String.raw`\bat (?:async )?(?:[^\n()]{1,200} \()?(?:file://|node:|webpack|${ROOT})[^\n()]{1,300}:\d{1,6}:\d`,
    ),
  }),
  ...signs('trace-ruby', ['.rb:'], { near: new RegExp(String.raw`\.rb:\d{1,6}:in ${Q}`) }),
  ...signs('trace-go', ['goroutine '], { near: /\bgoroutine \d{1,9} \[[a-z]/ }),
  ...signs('trace-go', ['.go:'], { near: /\.go:\d{1,6} \+0x/ }),
  ...signs('trace-perl', ['.pl line ', '.pm line ', '.cgi line '], { near: / at \S{1,300} line \d/ }),
];

const DATABASE: readonly Sign[] = [
  ...signs('sql-error', [
    'error in your sql syntax',
    'sqlstate[',
    'sqlstate: ',
    'sqlstate=',
    'pls-00',
    'unclosed quotation mark after the character string',
    'used select statements have a different number of columns',
    'lost connection to mysql server',
    'mysql server has gone away',
    "can't connect to mysql server",
    "can't connect to local mysql server",
    "can't connect to server on ",
    'deadlock found when trying to get lock',
    'lock wait timeout exceeded',
    'cannot add or update a child row',
    'cannot delete or update a parent row',
    'violates foreign key constraint',
    'violates unique constraint',
    'violates not-null constraint',
    'violates check constraint',
    'duplicate key value violates',
    'supplied argument is not a valid mysql',
    'microsoft ole db provider for',
    '[microsoft][odbc',
    '[unixodbc]',
    '[ma-3.',
    'com.mysql.jdbc',
    'com.mysql.cj.',
    'org.mariadb.jdbc',
    'org.postgresql.util.',
    'psycopg2.',
    'mysqlclient.',
    'pg::syntaxerror',
    'sqlite3.operationalerror',
    'sqlite_error',
    'er_parse_error',
    'er_dup_entry',
    'er_no_such_table',
    'er_bad_field_error',
    'er_access_denied_error',
    'er_row_is_referenced',
    'er_no_referenced_row',
    'er_data_too_long',
    'er_lock_deadlock',
    'er_lock_wait_timeout',
  ]),
  ...signs('sql-error', ['duplicate entry '], {
    near: new RegExp(`Duplicate entry ${Q}.{0,300}${Q} for key`, 'i'),
  }),
  ...signs('sql-error', ['unknown column '], {
    near: new RegExp(`Unknown column ${Q}.{1,200}${Q} in `, 'i'),
  }),
  ...signs('sql-error', ["n't exist", 'n&#39;t exist', 'n&#039;t exist'], {
    near: new RegExp(String.raw`\bTable ${Q}[^\n]{1,200}${Q} doesn`, 'i'),
  }),
  ...signs('sql-error', ['access denied for user '], {
    near: new RegExp(`for user ${Q}.{0,100}${Q}@`, 'i'),
  }),
  ...signs(
    'sql-error',
    ['data truncated for column ', 'data too long for column ', 'incorrect syntax near '],
    {
      near: new RegExp(`(?:column|near) ${Q}`, 'i'),
    },
  ),
  ...signs('sql-error', [' does not exist'], {
    near: new RegExp(String.raw`\b(?:relation|column|function) ${Q}[^\n]{1,200}${Q} does not exist`),
  }),
  ...signs('sql-error', ['syntax error at or near '], { near: new RegExp(`at or near ${Q}`, 'i') }),
  ...signs('sql-error', ['ora-'], { at: /ORA-\d{5}\b/iy }),
  ...signs('sql-error', ['odbc '], { at: /ODBC (?:SQL Server |MySQL |MariaDB )?(?:Driver|Error)/iy }),
  ...signs('sql-error', ['jdbc:'], { at: /jdbc:[a-z0-9]{2,20}:/iy }),
  ...signs('sql-error', ['mysql_', 'mysqli_', 'pg_query', 'pg_connect', 'sqlsrv_'], {
    at: /(?:mysqli?_|pg_|sqlsrv_)\w{1,40}(?:\(|\\?\/)/iy,
    near: /\b(?:warning|error|fatal|expects|failed)\b/i,
  }),
  // Statements as programs write them: in capitals, with a clause that no sentence has.
  ...signs('sql-text', ['SELECT '], {
    cased: true,
    at: /SELECT\s(?:(?!\sFROM\s)[\s\S]){1,900}\sFROM\s(?:(?!\s(?:WHERE|JOIN|LIMIT|ORDER|GROUP)\s)[\s\S]){1,300}\s(?:WHERE\s+[\w.`"]+\s*(?:=|<|>|LIKE\b|IN\b|IS\b)|JOIN\s+[\w`"]+\s+(?:\w+\s+)?ON\b|LIMIT\s+(?:\d|\?)|(?:ORDER|GROUP)\s+BY\s+[\w.`"])/y,
  }),
  ...signs('sql-text', ['INSERT INTO '], {
    cased: true,
    at: /INSERT INTO\s+[\w.`"]{1,130}\s*(?:\(|SET\s+[\w`]{1,130}\s*=)/y,
  }),
  ...signs('sql-text', ['UPDATE '], {
    cased: true,
    at: /UPDATE\s+[\w.`"]{1,130}\s+SET\s+[\w.`"]{1,130}\s*=/y,
  }),
  ...signs('sql-text', ['DELETE FROM '], { cased: true, at: /DELETE FROM\s+[\w.`"]{1,130}\s+WHERE\s/y }),
];

/** An IPv4 address of a private network (RFC 1918), of this machine, or of a link, and nothing longer. */
const OCTETS = String.raw`(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d))`;
const PRIVATE = new RegExp(
  String.raw`(?<![\d./@])(?:(?:10|127)${OCTETS}{3}|(?:192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))${OCTETS}{2})(?![\d.]*\d)`,
  'y',
);
const PRIVATE_URL =
  /\b(?:connect(?:ion|ing)?|fetch|proxy|upstream|refused|resolve|reach|contact|timed? ?out|fail(?:ed|ure))\b[^<>\n]{0,60}[a-z]{2,10}:\/\/(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01])|localhost)[.:/]/i;
const PROGRAM_FILE = String.raw`[\w.+~-]{1,100}(?:[\\/]{1,2}[\w.+~-]{1,100}){0,20}`;

const PLACES: readonly Sign[] = [
  ...signs('debug-page', ['phpinfo()'], { near: /<title>[^<]{0,80}phpinfo\(\)/i }),
  ...signs('debug-page', ['php version '], { near: /<h1[^>]{0,80}>PHP Version \d/i }),
  ...signs('debug-page', ['debug = true', 'werkzeug debugger', 'whoops\\handler', 'django_settings_module'], {
    near: /\b(?:debug|traceback|exception|error)\b/i,
  }),
  ...signs(
    'version',
    [
      'apache/',
      'nginx/',
      'php/',
      'tomcat/',
      'microsoft-iis/',
      'openssl/',
      'jetty/',
      'lighttpd/',
      'openresty/',
      'wildfly/',
      'jboss-',
      'werkzeug/',
      'gunicorn/',
      'mysql/',
      'mariadb/',
    ],
    {
      at: /[a-z-]{3,20}[/-]\d{1,3}\.\d/iy,
      beside: ERROR_WORD,
    },
  ),
  ...signs('version', ['jetty://', '-mariadb', 'postgresql '], {
    at: /(?:jetty:\/\/\d|-mariadb[-+~ ]|postgresql \d{1,2}\.\d)/iy,
    beside: ERROR_WORD,
  }),
  ...signs('address', ['10.', '192.168.', '172.', '127.', '169.254.'], { at: PRIVATE, beside: ERROR_WORD }),
  // In an address of the web it is a link, unless the words before it say what became of it.
  ...signs('address', ['//10.', '//192.168.', '//172.', '//127.', '//localhost'], {
    near: PRIVATE_URL,
  }),
  ...signs('address', ['localhost:'], { at: /(?<!\/\/)localhost:\d{2,5}\b/iy, beside: ERROR_WORD }),
  ...signs('path', ['/var/www/', '/var/lib/', '/var/log/', '/usr/share/', '/usr/lib/', '/usr/local/'], {
    at: new RegExp(String.raw`(?<![\w.])/(?:var|usr)/[a-z]{1,8}/${PROGRAM_FILE}`, 'y'),
    beside: ERROR_WORD,
  }),
  ...signs('path', ['/opt/', '/srv/', '/etc/', '/home/', '/root/'], {
    // Links of a site may be called so too: those stand in quotation marks or after a host.
    at: new RegExp(String.raw`(?<![\w.:="'/])/[a-z]{3,4}/${PROGRAM_FILE}\.[a-z]{1,5}\b`, 'y'),
    beside: ERROR_WORD,
  }),
  ...signs(
    'path',
    [
      ':\\inetpub\\',
      ':\\\\inetpub',
      ':\\xampp',
      ':\\\\xampp',
      ':\\wamp',
      ':\\program files',
      ':\\windows\\',
      ':\\www\\',
    ],
    {
      at: /:\\{1,2}[\w .()~-]{2,80}/y,
      beside: ERROR_WORD,
    },
  ),
];

export const SIGNS: readonly Sign[] = Object.freeze(
  [...TRACES, ...DATABASE, ...PLACES].map((sign) => Object.freeze(sign)),
);
