import { type EngineRule, EVERYWHERE, expression, needing, STRICT } from '../rule.ts';
import { CLEAR_COMMANDS, WINDOWS_COMMANDS, WORD_COMMANDS } from './command-words.ts';

const CLEAR = `(?:${CLEAR_COMMANDS.join('|')})`;
const WORD = `(?:${WORD_COMMANDS.join('|')})`;
const ANY = `(?:${[...CLEAR_COMMANDS, ...WORD_COMMANDS].join('|')})`;
/** Commands of PowerShell in lower case: a verb and what it is done to. */
const CMDLET = String.raw`(?:add|clear|close|compare|complete|compress|connect|convert(?:to|from)?|copy|debug|disable|disconnect|enable|enter|exit|expand|export|find|foreach|format|get|grant|group|import|install|invoke|join|limit|measure|merge|mount|move|new|open|out|ping|pop|publish|push|read|receive|register|remove|rename|repair|reset|resolve|restart|restore|resume|revoke|save|search|select|send|set|show|sort|split|start|stop|submit|suspend|switch|tee|test|trace|unblock|undo|uninstall|unlock|unregister|update|use|wait|where|write)-(?:acl|adobject|alias|aliases|authenticodesignature|bitstransfer|childitem|clixml|command|commands|computer|computerrestore\w*|connection|content|counter|credential|csv|culture|date|debug|default|drive|error|event(?:log|subscriber)?|executionpolicy|expression|file|formatdata|gridview|help|history|host|hotfix|html|info|inputobject|item(?:property)?|itempropertyvalue|job|json|list|localgroup\w*|localuser\w*|location|member|module(?:member)?|netfirewall\w*|netipaddress|null|object|output|pfxcertificate|printer|process|progress|psbreakpoint|pscallstack|psdrive|pshostprocess|psprovider|pssession\w*|pssnapin|random|restmethod|runspace\w*|securestring|service|sleep|string|table|tracesource|transaction|transcript|type(?:data)?|uiculture|unique|url|variable|verbose|warning|webrequest|webserviceproxy|wide|winevent|wmi\w+|wsman\w*|xml)`;

const WINDOWS = `(?:${WINDOWS_COMMANDS.join('|')})`;

/** Where a shell begins a command: after a separator, in a substitution, behind a word that runs another. */
const BEGIN = String.raw`(?:[;|&\n\x60]|\$\(|<\(|>\(|\{\s|[;&|]\s*(?:then|do|else|time|!)\s|\b(?:nohup|sudo|xargs|setsid|strace)\s)`;
const FOLDER = String.raw`(?:[\w./~?*\[\]-]{0,40}/)?`;
/** What follows a command that is one: nothing, another command, an option, a path, a quote, a variable, an address. */
const OPERAND = String.raw`(?:\s*$|\s*[;|&<>\x60)}]|\s+(?:-{1,2}[a-z]|/\w|\.{0,2}/|~/|\$|["']\S|\w+://|\d{1,3}\.\d{1,3}\.|[\w-]+\.\w{2,4}(?:\s|$|;)|\+[a-z]))`;
/** The same for a text that is nothing but the command: a single word may be anything. */
const FOLLOWED = String.raw`(?:\s*[;|&<>\x60)}]|\s+(?:\+x\b|\d{3,4}\s+\S|-{1,2}[a-z]|/\w|\.{0,2}/|~/|\$|["']\S|\w+://|\d{1,3}\.\d{1,3}\.|[\w-]+\.\w{2,4}(?:\s|$|;)|\+[a-z]))`;
const END = String.raw`(?:\s|$|[;|&<>\x60)}'"])`;

export const COMMAND_RULES: readonly EngineRule[] = [
  expression(
    'command-expansion',
    EVERYWHERE,
    String.raw`\$\(\s*(?:cat|ls|id|whoami|uname|curl|wget|bash|sh|echo|ping|nslookup|nc|sleep|python\d?|perl|rm)\b`,
    String.raw`\x60\s*(?:cat|id|whoami|uname|curl|wget|bash|sh|ping|nslookup|nc|sleep)\b[^\x60]*\x60`,
    String.raw`\$\{?IFS\b`,
    '/dev/(?:tcp|udp)/',
    String.raw`\(\s*\)\s*\{\s*:?\s*;\s*\}\s*;`,
  ),
  expression(
    'command-chain',
    ['clinical'],
    String.raw`(?:;|\|{1,2}|&{1,2}|\n)\s*(?:/(?:usr/)?s?bin/)?(?:curl|wget|bash|nc|ncat|netcat|whoami|uname|ifconfig|nslookup|powershell|chmod|chown|python\d?|perl|ruby|php)\s+(?:-{1,2}\w|https?://|/\w|\w+://|\+x\b|\d+\s+/)`,
    String.raw`(?:;|\|{1,2}|&&)\s*(?:/bin/)?(?:cat|rm|ls|cp|mv|sh)\s+(?:-[a-z]+\s+)?/(?:etc|bin|tmp|var|usr|home|proc|root|dev)\b`,
    String.raw`(?:;|\|{1,2}|&&)\s*rm\s+-(?:rf|fr|r|f)\b`,
    String.raw`\|\s*(?:ba|z|k|da)?sh\s*$`,
    String.raw`\b(?:cmd|powershell)(?:\.exe)?\s+/c\s`,
  ),
  expression(
    'command-chain',
    STRICT,
    `${BEGIN}\\s*['"\\\\]?${FOLDER}${CLEAR}${END}`,
    `${BEGIN}\\s*['"\\\\]?${FOLDER}${WORD}['"]?${OPERAND}`,
    `[({!]\\s*${FOLDER}${ANY}\\s+(?:-[a-z]|/\\w|\\$)`,
    // A separator, a word whatever it is, and an option.
    String.raw`(?:[;|&\x60\n]|\$\()\s*['"]?[\w./-]{2,40}['"]?\s+--[a-z]`,
    String.raw`(?:^|[;|&])\s*\.?/?(?:[\w.-]+/)+[\w.-]+\s+-{1,2}[a-z]`,
    String.raw`;\s*\$\w+\s+\w`,
    String.raw`[;\n]\s*\.\s*\\?["']?(?:shell|system|dump|import|open|output|once|read|save|restore|load|log|backup|clone|archive|excel|cd|databases|tables|schema)\b`,
    String.raw`\bcd\s+[/~.]`,
    String.raw`\bcomm\s+\w+\s+\w+`,
    String.raw`&&\s*\(\s*\w*sh\s*\)`,
    String.raw`\|\s*(?:ba|z|k|c|da|fi|tc)?sh\b`,
    String.raw`<<<?\s*['"]?\w+.{0,80}\||<<<`,
    String.raw`(?:\d|&)>\s*&?\d|>&\s*\S|>\s*/\w|>\s*\w+\.(?:php|jsp|asp|sh|txt)\b|<\s*/\w+/|\b\w+\s*<\s*\w+\.(?:txt|php|sh|sql)\b`,
    String.raw`\balias\s+["']?\w+["']?=`,
    String.raw`\bexport\s+\w+=`,
    String.raw`(?:&|;|\|)\s*\w*\s*\(\)\s*\{`,
    String.raw`[:\w]\s*\(\s*\)\s*\{.{0,40}[|&;].{0,40}\}\s*;`,
    String.raw`\b[a-z]=/[a-z]`,
  ),
  expression(
    'command-word',
    STRICT,
    `^\\W{0,3}(?:\\w{1,12}=)?${FOLDER}${CLEAR}${FOLLOWED}`,
    `^\\W{0,3}(?:\\w{1,12}=)?${FOLDER}${WORD}\\s+(?:-{1,2}[a-z]|/\\w|\\.{0,2}/|~/|\\$|["']?/)`,
    `^\\W{0,3}(?:${CLEAR})\\s+(?:\\S+\\s+)?(?:\\S*[/.]\\S+|-\\S+)`,
    `^\\W{0,3}(?:time|nohup|sudo|exec|env|xargs|eval|command|setsid|busybox|doas|timeout\\s+\\d+\\w?)\\s+(?:-\\S+\\s+)*['"]?${FOLDER}${CLEAR}${END}`,
    `(?:^|[\\s=:'"(;|&])(?:/usr)?(?:/local)?/?s?bin/${ANY}${END}`,
    String.raw`(?:^|[^\w])(?:usr/)?(?:local/)?s?bin/['"]?\w`,
    String.raw`\b(?:${CLEAR_COMMANDS.join('|')})\s+(?:-{1,2}[a-z][\w-]*\s+)+["'/\w]`,
    String.raw`^\W{0,3}(?:ansible(?:-\w+)?|chef(?:-\w+)?|cscli|visudo|shutdown|reboot|pip\d?|npm|apt-get|yum|dnf|kubectl|docker|systemctl|ifconfig|whoami|uname|netstat|hping3|nmap|crontab|passwd|useradd|printenv)\b(?:\s+[a-z]+){0,3}\W*$`,
    String.raw`^\W{0,3}\w+=(?:ansible(?:-\w+)?|chef(?:-\w+)?|visudo|cscli)\b`,
    String.raw`\bbase64\s+-{1,2}d`,
    String.raw`\bdd\s+(?:if|of)=`,
    String.raw`\brc\s+\S+\.\w+`,
    String.raw`^\W{0,3}(?:CMD|cmd)\s*/[ck]\b`,
  ),
  expression(
    'command-expansion',
    STRICT,
    String.raw`\$\(|\$\[|\$\{|\$'|\$"`,
    String.raw`<\(\s*\w|>\(\s*\w`,
    String.raw`\$IFS\b|\$\{?(?:PATH|HOME|SHELL|PWD|USER|HOSTNAME|BASH\w*)\b`,
    String.raw`^\s*~[+-](?:\d*|/.*)$`,
    String.raw`\{[\w./?*$'#-]*,[\w./?*$'#,-]*\}`,
    String.raw`\(\s*\)\s*\{`,
    String.raw`(?:^|[\s;|&])![\w?-]\S*$`,
    String.raw`(?:^|[\s=;|&'"])/[\w.?*\[\]!^-]*[?*\[][\w.?*\[\]!^-]*/[\w.?*\[]`,
  ),
  // Spellings that a shell reads as something else: empty expansions inside words, patterns for paths.
  expression(
    'command-evasion',
    STRICT,
    String.raw`\w\$[!$?@*#-]`,
    String.raw`\w(?:\x60\x60|\$\(\s*\)|\$\{\s*\}|\$@|\$\*)`,
    String.raw`/(?:etc|usr|bin|var|proc|tmp|dev|home|opt|sbin|root)/[\w./-]*[?*\[]`,
    String.raw`\[[^\]\s]\][a-z]+\s+-|\w\[\w\]\w*/|/\w*\[[\w!^-]+\]\w+`,
  ),
  expression(
    'command-windows',
    STRICT,
    String.raw`\bfor\b.{0,60}%+\S{1,12}\s+in\s*\(.{0,200}\)\s*do\b`,
    String.raw`\bfor\s+/[dflr]\b`,
    String.raw`\bif\s+(?:/i\s+)?(?:not\s+)?(?:exist|defined|errorlevel|cmdextversion)\s+\S`,
    String.raw`\bif\s+(?:/i\s+)?(?:not\s+)?.{1,60}?[\s")](?:equ|neq|lss|leq|gtr|geq)[\s"(]`,
    String.raw`\bif\s+(?:/i\s+)?(?:not\s+)?\S.{0,60}?==`,
    String.raw`\bif\s+/i\b`,
    '%(?:systemroot|systemdrive|windir|comspec|temp|tmp|appdata|userprofile|programfiles|path|username|computername|random|cd|errorlevel|public|homedrive|homepath|localappdata|allusersprofile)(?::[^%]*)?%',
    `(?:[;|&\\n\\x60]|\\bcmd\\s*=)\\s*['"\\^]*${WINDOWS}(?:\\.exe|\\.com|\\.msc)?['"]?(?:\\s+(?:/\\w|-\\w|"|'|\\S*[\\\\%.]|<|>|\\d{1,2}:\\d)|\\s*[<>|&;]|\\s*$)`,
    String.raw`[;|&]\s*at\s+\d{1,2}:\d`,
    `^\\W{0,3}${WINDOWS}(?:\\.exe)?\\s+(?:/[a-z?]|<|>|\\S*[\\\\%])`,
    String.raw`\b(?:cmd|powershell|pwsh|certutil|bitsadmin|mshta|rundll32|regsvr32|wmic|cscript|wscript|schtasks|regedit|vssadmin|wevtutil|netsh|net1?)(?:\.exe)\b`,
    String.raw`\b(?:cmd(?:\.exe)?\s*/\s*[ck]|powershell\s+-|net\s+(?:user|localgroup|share|use|view|start|stop|group)\b|reg\s+(?:add|query|delete|save|export)\b|sc\s+(?:create|config|query|start|stop)\b|wmic\s+\w+|wevtutil\s+cl)`,
    String.raw`\bHKEY_(?:LOCAL_MACHINE|CURRENT_USER|CLASSES_ROOT|USERS)\b`,
    String.raw`\b(?-i:Get|Set|New|Add|Remove|Invoke|Start|Stop|Out|Write|Read|Import|Export|Enable|Disable|Register|Unregister|Test|Convert(?:To|From)?|Copy|Move|Rename|Clear|Update|Install|Uninstall|Send|Receive|Resolve|Restart|Resume|Suspend|Select|Measure|Compare|Format|Group|Sort|Where|ForEach|Enter|Exit|Connect|Disconnect|Save|Restore|Reset|Repair|Publish|Mount|Dismount|Debug|Checkpoint|Trace|Wait|Use|Undo|Complete|Join|Split|Push|Pop|Protect|Unprotect|Limit|Show|Expand|Compress|Find|Initialize|Optimize|Grant|Revoke|Block|Unblock|Lock|Unlock)-(?-i:[A-Z]{2,}\w*|[A-Z][a-z]+[A-Z]\w+)`,
    // As a name alone it is what pages call their actions: `add-event`, `export-csv`.
    `[;|&({]\\s*${CMDLET}\\b`,
    `\\b${CMDLET}(?:\\s*[|;&({]|\\s+[-$'"@{(\\\\/]|\\s+[a-z]:|\\s+\\S+\\s+-[a-z])`,
    String.raw`(?:^|[;|&(\s])(?:iex|iwr|irm|saps|sajb|gci|gwmi|icm|sv|gc|ni|curl\.exe)\s*(?:\(|\s+["'$(]|\s+https?:|\s+-\w)`,
  ),
  needing(
    '\r\n\\',
    expression(
      'command-protocol',
      STRICT,
      // Lines that a mail server would take as commands (RFC 5321, RFC 1939, RFC 9051).
      String.raw`[\r\n]\s*[a-z]{0,4}\d{1,5}[a-z]?\s+(?:authenticate|login|select|examine|create|delete|rename|subscribe|unsubscribe|list|lsub|status|append|check|close|expunge|search|fetch|store|copy|uid|capability|noop|logout|starttls|idle|namespace|enable|move)\b`,
      String.raw`[\r\n]\s*\.?\s*(?:a\d+\s+)?(?:ehlo|helo|mail\s+from:|rcpt\s+to:|vrfy|expn|starttls|auth\s+\w+|apop\s+\S+\s+\S+|retr\s+\d|dele\s+\d|top\s+\d+\s+\d|uidl(?:\s+\d)?|list(?:\s+\d+)?\s*$|stat\s*$|rset\s*$|noop\s*$|quit\s*$|data\s*$|user\s+\S+\s*$|pass\s+\S+\s*$|capa\s*$|xtnd|etrn|turn\s*$|size\s+\d)`,
      String.raw`\\[rn]\s*(?:mail\s+from:|rcpt\s+to:|bcc:|cc:|to:|content-type:|subject:)`,
    ),
  ),

  expression(
    'header-break',
    STRICT,
    String.raw`[\r\n]\s*(?:content-(?:type|length|disposition|location|encoding)|set-cookie2?|location|refresh|transfer-encoding|host|x-[\w-]+|connection|status|access-control-[\w-]+|bcc|cc|to|from|subject|mime-version)\s*:`,
    String.raw`[\r\n]\s*(?:http/\d|get\s+/|post\s+/|(?:get|post|head|options|put|delete|trace|patch|connect)\s+\S+\s+http/)`,
    String.raw`\bhttp/\d(?:\.\d)?\s+\d{3}\b`,
    String.raw`^(?:get|post|head|put|delete|trace|connect|options|patch)\s+(?:/|\w+:/)\S*\s+http/\d`,
  ),
  expression(
    'command-function',
    EVERYWHERE,
    String.raw`\b(?:shell_exec|passthru|proc_open|pcntl_exec|popen|system|exec)\s*\(\s*(?:['"]\s*[\w/]|\$_?\w)`,
    String.raw`\bos\s*\.\s*(?:system|popen|exec\w*|spawn\w*)\s*\(`,
    String.raw`\bsubprocess\s*\.\s*\w+\s*\(`,
    String.raw`\b__import__\s*\(`,
  ),
];
