import { type EngineRule, EVERYWHERE, expression, needing, STRICT } from '../rule.ts';

const FOLDERS =
  'ssh|aws|azure|gnupg|kube|docker|config|local|cache|git|svn|hg|bzr|cvs|idea|vscode|npm|yarn|composer|cargo|m2|gradle|ansible|chef|puppet|vagrant\\.d|mozilla|subversion|pki|putty|terraform|gem|rbenv|nvm|pyenv|wp-cli|cpan|dbus|cups|gnome|kde|fonts|emacs\\.d|vim|zsh|oh-my-zsh|tmux|irssi|ipython|jupyter|boto|s3cmd|heroku|netlify|firebase|serverless|circleci|github|gitlab|travis|husky|cursor|claude|cline|kiro|windsurf|junie|roo|codeium|continue|copilot|aider|gemini|trae|amazonq|augment|qodo|zed|tabnine|codex|opencode|goose|openhands|devin|sourcegraph|cody|bolt|v0|antigravity|void|pearai|warp|crush|qwen|rules';

/** Endings of what is left lying about: copies, dumps, logs, keys, settings. */
const LEFTOVERS =
  'bak|backup|old|orig|original|save|saved|swp|swo|swn|tmp|temp|copy|sql|sqlite3?|db|mdb|log|pem|key|ppk|p12|pfx|jks|keystore|htaccess|htpasswd|env|cfg|conf|ini|inc|dist|rdb|dump|kdbx?|ovpn|rdp|tfstate|core';

/** Where the files of an operating system, a web server or an application's settings are. */
const SYSTEM_FILES: readonly string[] = [
  String.raw`(?:^|[^\w.])/?etc/(?:passwd|shadow|group|gshadow|hosts|host\.conf|hostname|issue|motd|fstab|mtab|crontab|cron\.\w+|sudoers|profile|bashrc|environment|inittab|resolv\.conf|services|networks?|netgroup|ssl|ssh|apache2?|httpd|nginx|lighttpd|php\d*|mysql|my\.cnf|mariadb|postgresql|redis|mongod?|tomcat|samba|ldap|openldap|krb5|kubernetes|docker|ansible|chef|puppet|init\.d|rc\.\w+|rc\d?\.d|default|security|pam\.\w+|exports|ftp\w*|vsftpd|proftpd|pure-ftpd|syslog|rsyslog|logrotate|modules|modprobe|sysctl|sysconfig|os-release|redhat-release|debian_version|lsb-release|subuid|subgid|master\.passwd|pwd\.db|aliases|postfix|exim|mail|dovecot|wgetrc|screenrc|vim|zsh|skel|timezone|localtime|ca-certificates|pki|letsencrypt|systemd|udev|selinux|apparmor|machine-id|X11|cups|xinetd|inetd)\b`,
  String.raw`(?:^|[\s=:'"(<>|;&,])/(?:etc|proc|sys|root|boot|dev|var/(?:log|www|lib|spool|run|cache|backups|mail|tmp|adm|apache2?|db|opt|local|nis|webmail|cpanel)|tmp|usr/(?:local|s?bin|share|lib|etc|pkg|include|src)|opt|home|srv|mnt|s?bin|lib(?:32|64)?|run|private|library|system|applications|volumes|apache\d?|www|logs?|php\d*|xampp|inetpub|winnt|windows)(?:/|$)`,
  String.raw`\b(?:proc|sys)/(?:self|\d+|net|sys|version|cpuinfo|meminfo|mounts|cmdline|environ|class|kernel|devices|fs|module|firmware|bus|block|power)\b`,
  '/proc/',
  String.raw`\b[c-z]:[\\/]+(?:windows|winnt|boot|inetpub|program|users|documents|xampp|wamp|apache|php|mysql|temp|pagefile|autoexec|config|sysprep|system)`,
  String.raw`\b(?:boot\.ini|win\.ini|system\.ini|php\.ini|my\.ini|desktop\.ini|autoexec\.bat|ntuser\.dat|sam\.log|unattend\.xml|sysprep\.inf|web\.config|machine\.config|applicationhost\.config|global\.asax)\b`,
  String.raw`(?:^|[\s/\\=:'"])\.(?:${FOLDERS})[/\\]`,
  String.raw`(?:^|[\s/\\=:'"])\.(?:htaccess|htpasswd|htdigest|htgroup|env(?:\.\w+)?|bash\w*|zsh\w*|sh_history|ksh\w*|csh\w*|tcsh\w*|profile|login|logout|history|mysql_history|psql_history|sqlite_history|rediscli_history|python_history|irb_history|node_repl_history|nano_history|viminfo|vimrc|gvimrc|exrc|emacs|netrc|pgpass|my\.cnf|rhosts|shosts|forward|gitconfig|gitignore|gitattributes|gitmodules|gitlab-ci\.yml|npmrc|yarnrc|pypirc|dockercfg|dockerignore|dockerenv|git-credentials|wget-hsts|wgetrc|curlrc|lesshst|selected_editor|s3cfg|boto|travis\.yml|editorconfig|eslintrc\w*|babelrc|bowerrc|jshintrc|stylelintrc|ds_store|hushlogin|xauthority|xsession\w*|iceauthority|dbshell|inputrc|screenrc|tmux\.conf|aptitude|cursorrules|cursorignore|windsurfrules|clinerules|roomodes|aider\w*|user\.ini|subversion|keys|tags|addressbook|nsconfig|nsr|dbx|ash_history|atfp_history|aws|azure|google_authenticator|python-gitlab\.cfg|terraformrc|fish|config)\b`,
  String.raw`\b(?:id_(?:rsa|dsa|ecdsa|ed25519)|authorized_keys|known_hosts|ssh_host_\w+_key)\b`,
  String.raw`\b(?:wp-config|configuration|settings|config(?:\.inc|uration)?|database|db(?:connect|config)?|local(?:settings|_settings|conf)?|parameters|secrets?|credentials?|connect|constants|sites/default/settings|globals?|sqlconf|defines|env|initdb)(?:[.\s_-]+)(?:php\d?|inc|yml|yaml|xml|json|ini|cfg|cnf|bak|old|env|py|rb|properties)\b`,
  String.raw`\b(?:docker-compose(?:\.\w+)?\.ya?ml|dockerfile|vagrantfile|jenkinsfile|gruntfile\.\w+|gulpfile\.\w+|webpack\.config\.\w+|composer\.(?:json|lock|phar)|package(?:-lock)?\.json|yarn\.lock|npm-debug\.log|yarn-error\.log|gemfile(?:\.lock)?|requirements\.txt|pipfile(?:\.lock)?|makefile|procfile|web-inf|meta-inf|phpinfo\.php|adminer(?:-[\w.]+)?\.php|phpmyadmin|error_log|access_log|access\.log|errors?\.log|debug\.log|laravel\.log|thumbs\.db|wp-includes|wp-admin|nbproject|crossdomain\.xml|server-status|server-info|elmah\.axd|trace\.axd|sftp-config\.json|ftpsync\.settings|auth\.json|artisan|bower\.json|pom\.xml|build\.xml|build\.gradle|tsconfig\.json|phpunit\.xml(?:\.dist)?|phpcs\.xml|rakefile|robomongo|server\.key|private\.key|privatekey\.\w+|application\.(?:yml|properties)|context\.xml|tomcat-users\.xml|local\.xml|(?:claude|agents|gemini|skill)\.md|copilot-instructions\.md|llms?\.txt|__x00__)\b`,
  String.raw`(?:^|[/\\])@(?:id|fs|vite|react-refresh)/`,
  String.raw`\.(?:sql|tar|bak|dump|old)\.(?:zip|gz|tgz|bz2|xz|7z|rar|tar|bak|old|sql)\b`,
  String.raw`\b(?:backup|dump|database|db|site|www|website|web|htdocs|public_html|wwwroot|export|mysql|data)[\w.-]*\.(?:sql|zip|tar|tgz|gz|7z|rar|bak|dump|bz2)$`,
  String.raw`/var/lib/php\d*/sess|(?:^|[/\\])sess_[\w,-]{8,}`,
];

/** Names under which an uploaded file would be run. */
const PROGRAMS = String.raw`ph(?:p\d*|ps|t|tm|tml|pt|ar|p[a-z]|p\d+)|p(?:l|y|m|sh1)|inc|jspx?|jsw|jsv|jspf|jsf|wss|do|action|asp|aspx|asa|asax|ascx|ashx|asmx|cer|cdx|cfml?|cfc|cgi|fcgi|shtml?|stm|hta|htaccess|htpasswd|sh|bash|zsh|ksh|rb|lua|exe|com|bat|cmd|dll|so|msi|msp|scr|pif|vbs?|vbe|jse|wsf|wsh|ps1|psm1|psd1|jar|war|ear|class|groovy|swf|reg|lnk|url|application|gadget|cpl|config`;

export const FILE_RULES: readonly EngineRule[] = [
  expression(
    'path-traversal',
    EVERYWHERE,
    String.raw`\.\.[\\/]+(?:\.[\\/]+)*\.\.[\\/]`,
    String.raw`\.\.[\\/]+(?:etc|proc|var|windows|winnt|boot|root|usr|home|web-inf)\b`,
  ),
  expression(
    'path-traversal',
    [...STRICT, 'file'],
    String.raw`(?:^|[^.\w])\.\.[\\/;]`,
    String.raw`[\\/]\.\.(?:$|[\\/;\s])`,
    String.raw`\w\.\.[\\/]\w`,
    String.raw`(?:^|[\\/])\.\.;`,
    String.raw`(?:%(?:25)*2e){2}|%(?:25)*(?:2f|5c)|%c0%a[ef]|%c1%[19]c|%u221[56]|%uefc8|%(?:25)*00|0x2e0x2e|\.\.%`,
  ),
  needing('/\\.:', expression('path-file', STRICT, ...SYSTEM_FILES)),
  expression(
    'path-file',
    STRICT,
    String.raw`\b(?:id_(?:rsa|dsa|ecdsa|ed25519)|authorized_keys|known_hosts|ssh_host_\w+_key|dockerfile|vagrantfile|jenkinsfile|rakefile|procfile|web-inf|meta-inf|phpmyadmin|error_log|access_log|wp-(?:includes|admin)|nbproject|server-status|server-info|robomongo|__x00__)\b`,
    String.raw`sess_[\w,-]{8,}`,
  ),
  expression(
    'path-file',
    ['clinical'],
    String.raw`/etc/(?:passwd|shadow|sudoers)\b`,
    String.raw`/proc/self/\w`,
    String.raw`\b[a-z]:\\(?:windows|winnt)\\`,
    String.raw`/\.(?:ssh|aws|git)/`,
  ),
  expression(
    'path-file',
    ['path'],
    // RFC 8615 has the one name with a dot that is for everybody.
    String.raw`/\.(?:w[^e]|[^w./])`,
    String.raw`\.(?:${LEFTOVERS})(?:[~.\d_-]*)(?:/|$)`,
    '~(?:/|$)',
  ),
  expression(
    'path-upload',
    ['file'],
    String.raw`\.\s*(?:${PROGRAMS})[\s.:;~\d]*(?:$|[.;:/\\\x00])`,
    String.raw`^\s*\.`,
    String.raw`[<>:"|?*\\/;\x00-\x1f]`,
    String.raw`\b(?:wp-config|settings|config|configuration|web|local)[\s._-]*(?:php|config|inc|ini|xml|yml)`,
    String.raw`sess_\w`,
    String.raw`(?:config(?:_\w+)?|parameters|routing|security|services|(?:default\.)?settings(?:\.local)?|database|secrets|credentials)\.(?:ya?ml|php|xml|json|ini|neon)\b`,
  ),
];
