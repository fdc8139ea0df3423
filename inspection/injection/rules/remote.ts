import { type EngineRule, EVERYWHERE, expression, STRICT } from '../rule.ts';

const SCHEMES =
  'https?|ftps?|sftp|scp|tftp|ldaps?|ldapi|gopher|dict|file|smb|telnet|ssh|ssh2(?:\\.\\w+)?|svn(?:\\+\\w+)?|git|nntp|imaps?|pop3s?|rtsp|rtmp\\w*|sips?|jar|netdoc|mailto|urn|ws|wss|php|phar|zip|zlib|glob|data|expect|ogg|rar|compress\\.\\w+|bzip2|mongodb|redis|mysql|jdbc|rmi|iiop|corba\\w*|dns|nis|nds|view-source|feed|cvs|h323|ed2k|irc|news|nfs|payto|magnet|vnc|udp|wais|xmpp|attachment|callto|go-?git|content|resource';

const INTERNAL = String.raw`(?:localhost(?:\d|\.localdomain\d?|6)?|local(?:\.?test)?\.me|ip6-(?:localhost|loopback)|loopback|(?:host|gateway|kubernetes)\.docker\.internal|metadata(?:\.google\.internal|\.azure\.\w+|\.tencentyun\.com|\.packet\.net|\.platformequinix\.com)?|instance-data(?:\.ec2\.internal)?|kubernetes(?:\.default(?:\.svc(?:\.cluster(?:\.local)?)?)?)?|[\w.-]+\.(?:cluster\.local|internal|localdomain|svc)|localtest\.me|lvh\.me|vcap\.me|lacolhost\.com|yoogle\.com|(?:[\w-]+\.)*(?:nip|sslip|xip)\.io|127-0-0-1\.org\.uk|bugbounty\.dod\.network|spoofed\.burpcollaborator\.net)`;

export const REMOTE_RULES: readonly EngineRule[] = [
  // A value that is an address elsewhere. Where addresses belong, a text is read as `plain`.
  expression(
    'remote-address',
    ['parameter'],
    String.raw`^\s*["'(<]?\s*(?:url\s*[:=(]\s*)?(?:${SCHEMES})://`,
    String.raw`^\s*(?:https?|ftps?)\??$`,
    String.raw`^\s*(?:https?|ftp):[/\\]{0,2}[\w.\[]`,
    String.raw`^[/\\]{2,}[\w-]+(?:\.[\w-]+)+(?:[:/\\?]|$)`,
    String.raw`^\s*\\\\+[\w.$-]+\\`,
    String.raw`(?:=|\burl\()\s*['"]?(?:https?|ftps?|ldap|file|gopher|php)://`,
  ),
  expression(
    'remote-internal',
    [...STRICT, 'clinical'],
    String.raw`\b169\.254\.169\.254\b`,
    String.raw`\b(?:192\.0\.0\.192|100\.100\.100\.200|168\.63\.129\.16)\b`,
    '/latest/(?:meta-data|user-data|dynamic)|/computemetadata/v1|/metadata/instance|/opc/v[12]/',
  ),
  expression(
    'remote-internal',
    STRICT,
    String.raw`(?:^|://|@)${INTERNAL}(?:[:/?#\\]|$)`,
    String.raw`\bhttps?:[/\\]{0,3}(?:[^/@\s]*@)?(?:127\.|0+[.:/]|0x|0\d|10\.\d|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|\d{6,}(?:[:/]|$)|\[|::|\d+$|\d+\.\d+\.?(?:\d+)?(?:[:/]|$))`,
    String.raw`\bhttps?:[/\\]{0,3}[^/\s]*(?:0x[0-9a-f]+|\b0\d+\.0\d+)[^/\s]*(?:/|$)`,
    String.raw`\bhttps?:[/\\]{0,3}[^/\s]*[①-⓿０-９。．｡]`,
    String.raw`\bhttps?:[/\\]{0,3}\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?:[:/?]|$)`,
  ),
  expression(
    'remote-scheme',
    EVERYWHERE,
    String.raw`\b(?:php|phar|expect|gopher|dict|jar|netdoc|compress\.(?:zlib|bzip2)|zlib|ssh2\.\w+|ogg|rar|glob|zip|ldaps?|rmi)://`,
  ),
  expression('remote-scheme', STRICT, String.raw`\b(?:file|smb|ftps?|sftp|tftp|data|jar|iiop|corbaname)://`),
];
