import { type EngineRule, EVERYWHERE, exactly, expression, needing, STRICT } from '../rule.ts';
import { CALLS, CLEAR_CALLS, SETTINGS } from './php-words.ts';

const ALL_BUT_CLINICAL = [...STRICT, 'file'] as const;
/** What may stand between a name and its bracket. */
const GAP = String.raw`(?:\s|/\*.{0,60}?\*/|(?:#|//)[^\n]{0,60}\n)*`;

export const LANGUAGE_RULES: readonly EngineRule[] = [
  // Templates
  needing(
    '{<#',
    expression(
      'template-expression',
      EVERYWHERE,
      String.raw`\{\{[^{}]{0,200}(?:\d\s*\*\s*'?\d|__\w+__|\bconfig\b|\bself\b|\brequest\.|constructor|\|\s*attr|lipsum|cycler|joiner|\.getClass|_self)[^{}]{0,200}\}\}`,
      String.raw`<%=?\s*(?:system|exec|eval|\x60|Runtime|request|\d+\s*\*\s*\d)`,
      String.raw`#set\s*\(\s*\$\w+\s*=`,
      String.raw`<#assign\s`,
      String.raw`\$\{\s*(?:T\(|\d+\s*\*\s*\d|"[^"]*"\.getClass|pageContext|request\.|session\.|applicationScope|#context|@java|class\.)`,
    ),
  ),

  needing(
    '{<#$_',
    expression(
      'template-expression',
      STRICT,
      String.raw`\{\{.{0,400}\}\}`,
      String.raw`\{%.{0,400}%\}`,
      String.raw`\{#.{0,400}#\}`,
      '<%.{0,400}%>',
      String.raw`[#*$~@%]\s*\{.{0,400}\}`,
      String.raw`\[\[\s*\$\{|\[\(\s*\$\{`,
      String.raw`#(?:set|foreach|include|parse|evaluate)\s*\(`,
      String.raw`<#(?:list|if|include|import)\b`,
      String.raw`\$\s+\{`,
      '__(?:class|mro|subclasses|globals|builtins|import|init|base|bases|dict|getitem)__',
    ),
  ),

  // PHP
  expression(
    'php-code',
    EVERYWHERE,
    String.raw`<\?\s*(?:php\b|=)`,
    String.raw`\$_(?:GET|POST|REQUEST|COOKIE|SERVER|FILES|SESSION|ENV)\s*\[`,
  ),
  needing(
    '<[$(.:\'"',
    expression(
      'php-code',
      ALL_BUT_CLINICAL,
      String.raw`<\?(?:[^x]|x[^m]|$)`,
      String.raw`<\?\s*xml\s*[:(;=]`,
      String.raw`\[\s*[/\\]?\s*php\s*\]`,
      String.raw`\$_?(?:GLOBALS|_GET|_POST|_REQUEST|_COOKIE|_SERVER|_FILES|_SESSION|_ENV|HTTP_\w+_VARS|HTTP_RAW_POST_DATA|argv|argc|php_errormsg|http_response_header)\b`,
      String.raw`\b(?:_GET|_POST|_REQUEST|_COOKIE|_SERVER|_FILES|_SESSION|_ENV|GLOBALS)\s*\[`,
      String.raw`\$\w*(?:${GAP}(?:\[.{0,80}?\]|\{.{0,80}?\}))*${GAP}\(.{0,200}\)?`,
      String.raw`\$\{.{0,80}\}(?:\s*\[.{0,80}?\])*\s*\(`,
      String.raw`::\s*\$\w+`,
      String.raw`\$\$\w+`,
      String.raw`\$\w+\s*(?:=|\.=|\[)\s*['"(\w@$]`,
      String.raw`\)${GAP}(?:\[.{0,40}\]|\{.{0,40}\})*${GAP}\(${GAP}(?:['"$\x60]|\w+${GAP}\)\s*(?:;|$))`,
      String.raw`['"]\s*\.\s*['"]`,
      String.raw`\(\s*\w{1,20}(?:\s*\.\s*\(?\w{1,20}\)?)+\s*\)\s*\(`,
      String.raw`\]${GAP}(?:\{.{0,40}\}\s*|\[.{0,40}\]\s*)*\(\s*['"\w+]`,
    ),
  ),

  needing(
    '(',
    expression(
      'php-function',
      ALL_BUT_CLINICAL,
      // Names that only code has, whatever language it is of.
      String.raw`\b[a-z][a-z0-9]{1,20}(?:_[a-z0-9]{1,20}){1,6}\s*\(`,
      String.raw`\b[a-z_][a-z0-9_]{3,30}\(\s*\)`,
      String.raw`(?:${CLEAR_CALLS})\s*[=]?${GAP}\(`,
      String.raw`(?:^|[^a-z])(?:${CALLS})\(\s*(?:['"$)\x60@/]|$|\w+\s*[(,.=;]|\d+\)|\w{3,}\)\s*(?:;|$))`,
      String.raw`(?:^|[^a-z])(?:${CALLS})(?:\s|/\*.{0,60}?\*/|(?:#|//)[^\n]{0,60}\n)+\(\s*(?:['"$)\x60@]|$|\w+\s*\()`,
      String.raw`(?:^|[^a-z])(?:${CALLS})\s*(?:/\*.{0,60}?\*/|(?:#|//)[^\n]{0,60}\n)\s*\(`,
      String.raw`^\W{0,3}(?:\$?\w+\s*=\s*)?(?:${CALLS})\s*\(\s*\w*\s*\)\W{0,3}$`,
    ),
  ),

  needing(
    '=',
    expression(
      'php-setting',
      STRICT,
      String.raw`^\W{0,2}(?:${SETTINGS})\s*=`,
      String.raw`\b(?:allow_url_(?:include|fopen)|auto_(?:prepend|append)_file|disable_functions|open_basedir|safe_mode\w*|suhosin\.\w+|opcache\.\w+|zend_extension|sendmail_path|session\.\w+|mbstring\.\w+|cgi\.\w+|xdebug\.\w+)\s*=`,
    ),
  ),

  exactly(
    'php-object',
    EVERYWHERE,
    String.raw`\b[oOcCE]:\+?\d{1,6}:"[\w\\]+":\d`,
    String.raw`\ba:\d{1,6}:\{[siabdONCR]:`,
  ),
  // Java
  expression(
    'java-class',
    ALL_BUT_CLINICAL,
    String.raw`\bjava[x]?\.[a-z]\w*`,
    String.raw`\bjava\b.{0,40}\b(?:runtime|processbuilder|exec)\b`,
    String.raw`\b(?:org\.(?:apache|omg|springframework|hibernate|codehaus|mozilla\.javascript|jboss|python|yaml|thymeleaf|mvel2?|ognl|eclipse|xml\.sax|w3c\.dom)|com\.(?:sun|opensymphony|mchange|caucho|rometools|mysql\.jdbc|ibm\.\w+|oracle\.\w+|zaxxer)|sun\.(?:misc|reflect|rmi)|freemarker\.\w+|ognl|bsh\.Interpreter|groovy\.\w+|clojure\.\w+|jdk\.\w+|weblogic\.\w+|ch\.qos)\.?[\w.]*`,
    String.raw`\b(?:runtime|processbuilder)\b\W{0,3}.{0,40}(?:clonetransformer|forclosure|instantiatefactory|instantiatetransformer|invokertransformer|prototypeclonefactory|prototypeserializationfactory|whileclosure|getproperty|filewriter|xmldecoder|getruntime|exec|start)`,
    String.raw`\b(?:clonetransformer|forclosure|instantiatefactory|instantiatetransformer|invokertransformer|prototypeclonefactory|prototypeserializationfactory|whileclosure|xmldecoder|objectinputstream|chainedtransformer|constanttransformer|templatesimpl|badattributevalueexpexception|annotationinvocationhandler|jdbcrowsetimpl|scriptenginemanager|getruntime|processbuilder|urlclassloader|memberaccess|getdeclaredmethods?|forname|_memberaccess)\b`,
    String.raw`\bclass\s*(?:\.\s*|\[\s*['"]?)(?:module|classloader|protectiondomain|forname)\b`,
    String.raw`#(?:_memberAccess|context|application|session|request|parameters|attr|root)\b\s*[\[.=]`,
    String.raw`@(?:java|org|com|ognl)[\w.]*@`,
    String.raw`\bT\s*\(\s*java`,
  ),
  expression(
    'java-lookup',
    EVERYWHERE,
    String.raw`\$\s*\{?[^{}]{0,40}(?:\$\{[^{}]{0,60}\}?[^{}]{0,40}){0,12}j\W{0,60}n\W{0,60}d\W{0,60}i\W{0,60}\s*:`,
    String.raw`\bjndi\s*:\s*(?:ldaps?|rmi|dns|iiop|nis|nds|corba|http)`,
    String.raw`\$\{\s*(?:env|sys|lower|upper|main|bundle|date|ctx|java|jvmrunargs|web|docker|k8s|spring|log4j|map|sd|marker|event|base64|script|url|dns|const|file|xml|urlencoder|urldecoder|resourcebundle|properties|localhost)\s*:`,
    String.raw`\$\{[^{}]{0,40}\$\{|\$\{[^{}]{0,20}:-`,
  ),
  expression('java-lookup', ALL_BUT_CLINICAL, String.raw`\bjndi\b`, String.raw`\$\{?\s*\S{0,6}\s*jndi`),
  exactly(
    'java-object',
    EVERYWHERE,
    'rO0AB[Q-X]|KztAAU|Cs7QAF',
    String.raw`\xac\xed\x00\x05`,
    '(?i)aced0005',
  ),
  // JavaScript on a server
  expression(
    'node-code',
    ALL_BUT_CLINICAL,
    String.raw`_\$\$nd_func\$\$_`,
    String.raw`\bchild_process\b`,
    String.raw`\brequire\s*(?:\(|\.\s*(?:main|resolve|cache|extensions))`,
    String.raw`\b(?:process|global|globalthis)\s*(?:\.|\[)\s*["']?(?:binding|mainmodule|env|exit|kill|argv|exec\w*|spawn\w*|constructor|stdout|stdin|stderr|cwd|chdir|dlopen|platform|versions?|process|require|setuid|umask|uptime|memoryusage|nexttick|_load)\b`,
    String.raw`\bconsole\s*(?:\.|\[)\s*["'\x60]?(?:log|info|debug|warn|error|dir|trace|assert|table|time\w*|count|group\w*|profile\w*|clear)\b`,
    String.raw`\bmodule\s*\.\s*(?:exports|constructor|require|children|parent|paths)\b|\bexports\s*\.\s*\w+\s*=`,
    String.raw`\bnew\s+function\s*\(|\bstring\s*\.\s*fromcharcode\b|\bfunction\s*\(\s*\)\s*\{`,
    String.raw`\bthis\s*\.\s*constructor\b|\bglobal\s*\.\s*process\b|\bconstructor\s*\.\s*(?:_load|constructor)\b`,
    ':(?:constructor:constructor|module:prototype|prototype:|__proto__)',
    String.raw`_(?:response|chunks|formdata|prefix)["']?\s*:`,
    String.raw`\bmodule:prototype\b|:then\b.{0,80}resolved_model|resolved_model`,
    String.raw`\b(?:execSync|execFileSync|spawnSync|readFileSync|readdirSync|writeFileSync|unlinkSync|createReadStream|createWriteStream)\b`,
    String.raw`\bfs\s*\.\s*(?:read|write|unlink|append|open|create|stat|access|mkdir|rm)\w*\s*\(`,
    String.raw`\bimport\s*\(\s*['"]`,
    String.raw`\bbuffer\s*\.\s*(?:from|alloc)\s*\(`,
    String.raw`\breflect\s*\.\s*\w+\s*\(|\bvm\s*\.\s*runin\w+`,
  ),
  // Perl and Ruby
  needing(
    '@{%:[(|/,.',
    expression(
      'perl-code',
      ALL_BUT_CLINICAL,
      String.raw`@\s*\{\s*\[`,
      String.raw`%\s*\{\s*\{`,
      String.raw`\bCORE::\w+`,
      String.raw`\b(?:qx|qq)\s*[\[{(/|]`,
      String.raw`\bopen\s*\(?\s*\w+\s*,\s*['"]`,
      String.raw`\b(?:kernel|process|io|file|open3)\s*(?:\.|::)\s*(?:exec|system|spawn|popen|open|fork|read|capture\w*)\b`,
      String.raw`\bruntime\s*\.\s*(?:exec|getruntime)\b`,
      String.raw`%x\s*[\[{(|]`,
    ),
  ),
];
