import { type EngineRule, EVERYWHERE, expression, libinjection, needing, STRICT } from '../rule.ts';

const TAGS =
  'a|abbr|acronym|address|animate|animatemotion|animatetransform|applet|area|article|aside|audio|base|basefont|bdi|bdo|bgsound|big|blink|blockquote|body|br|button|canvas|caption|center|code|col|colgroup|command|comment|content|custom|data|datalist|dd|del|details|dfn|dialog|dir|div|dl|dt|element|em|embed|fieldset|figcaption|figure|font|footer|foreignobject|form|frame|frameset|h[1-6]|head|header|hgroup|hr|html|i|iframe|ilayer|image|img|input|ins|isindex|kbd|keygen|label|layer|legend|li|link|listing|main|map|mark|marquee|math|menu|menuitem|meta|meter|multicol|nav|nextid|nobr|noembed|noframes|noscript|object|ol|optgroup|option|output|p|param|picture|plaintext|portal|pre|progress|q|rp|rt|rtc|ruby|s|samp|script|section|select|set|shadow|slot|small|source|spacer|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|tt|u|ul|use|var|video|vmlframe|wbr|xml|xmp|xss';
/** Elements that load, run or submit something, or change how the rest of a page is read. */
const ACTIVE =
  'script|iframe|frame|frameset|object|embed|applet|svg|math|img|image|video|audio|source|body|html|meta|link|base|form|input|button|isindex|style|layer|ilayer|bgsound|marquee|details|template|animate|set|portal|textarea|select|keygen|a';

export const HANDLERS =
  'abort|after\\w+|animation\\w*|auxclick|before\\w+|begin|blur|bounce|cancel|canplay\\w*|cellchange|change|click|close|command|contextmenu|copy|cuechange|cut|dataavailable|dataset\\w+|dbl?click|deactivate|drag\\w*|drop|durationchange|emptied|end|ended|error\\w*|filterchange|finish|focus\\w*|formdata|fullscreen\\w*|gesture\\w*|gotpointercapture|hashchange|help|hold|input|invalid|key(?:down|press|up)|languagechange|layoutcomplete|load\\w*|losecapture|lostpointercapture|mediacomplete|mediaerror|message\\w*|mouse\\w+|move\\w*|mozfullscreen\\w*|offline|online|open|outofsync|page(?:hide|show)|paste|pause|play|playing|pointer\\w+|popstate|progress|propertychange|rate?change|readystatechange|redo|repeat|reset|resize\\w*|resume|reverse|row\\w+|scroll\\w*|search|securitypolicyviolation|seek\\w*|select\\w*|show|slotchange|stalled|start|stop|storage|submit|suspend|syncrestored|timeerror|timeupdate|toggle|touch\\w+|trackchange|transition\\w+|undo|unhandledrejection|unload|urlflip|volumechange|waiting|webkit\\w+|wheel|zoom';

const OBJECTS =
  'document|window|self|top|parent|frames|globalThis|location|navigator|localStorage|sessionStorage|history|XMLHttpRequest|ActiveXObject';

export const SCRIPT_RULES: readonly EngineRule[] = [
  libinjection('script-grammar', ['parameter', 'plain'], 'is_xss'),
  needing(
    '<',
    expression(
      'script-markup',
      EVERYWHERE,
      String.raw`<\s*script\s*(?:/|\s+[\w-]+\s*=|>[^<]{0,500}(?:</|[;(=]))`,
      String.raw`<\s*/\s*script\b`,
      String.raw`<\s*(?:svg|iframe|object|embed|applet)\s*(?:/|>)`,
      String.raw`<\s*\w+[^<>]{0,200}[\s/"']on(?:error|load|click|focus|mouse\w+|toggle|begin|key\w+)\s*=`,
    ),
  ),

  needing(
    '<',
    expression(
      'script-markup',
      [...STRICT, 'clinical', 'file'],
      String.raw`<\s*(?:${ACTIVE})\b[^<>]{0,300}\b(?:on[a-z]{3,30}|src|srcdoc|srcset|href|xlink:href|data|code|codebase|action|formaction|style|http-equiv|values|from|to|background|dynsrc|lowsrc|poster)\s*=\s*\S`,
    ),
  ),

  // In the XHTML of a narrative (FHIR, "Narrative") links, pictures and styles have their place; what runs has none.
  expression(
    'script-markup',
    ['narrative'],
    String.raw`<\s*/?\s*(?:script|iframe|frame|frameset|object|embed|applet|form|input|button|select|textarea|base|link|meta|svg|math|style|html|head|body|audio|video|source|template|marquee|xml)\b`,
    String.raw`<[^<>]{0,1000}[\s/"']on[a-z]{3,30}\s*=`,
    String.raw`\b(?:href|src|action|background|cite|longdesc|usemap)\s*=\s*["']?\s*(?:javascript|vbscript|data\s*:\s*(?:text|application|image/svg))`,
    String.raw`\bstyle\s*=[^<>]{0,1000}(?:expression\s*\(|behaviou?r\s*:|-moz-binding|javascript|@import|url\s*\(\s*['"]?\s*(?:data|javascript|https?|//))`,
  ),
  expression(
    'script-scheme',
    EVERYWHERE,
    String.raw`\b(?:javascript|vbscript|livescript)\s*:\s*[^\s\d]`,
    String.raw`\bdata\s*:\s*(?:text/html|image/svg\+xml|text/xml|application/(?:xhtml\+)?xml|text/javascript)`,
  ),
  needing(
    '<',
    expression(
      'markup-declaration',
      EVERYWHERE,
      String.raw`<!\s*(?:entity|doctype|element|attlist|notation)\b`,
      String.raw`<\s*xi\s*:\s*include\b`,
      String.raw`<!\[cdata\[`,
      '<!--',
      String.raw`<!--\s*#\s*(?:exec|include|echo|config|printenv|set)\b`,
    ),
  ),

  needing(
    '<＜﹤‹〈',
    expression(
      'script-markup',
      STRICT,
      String.raw`<\s*/?\s*(?:${TAGS})(?:[\s/>#"'=(]|$)`,
      String.raw`<\s*[a-z][\w:-]*[\s/"']+[\w:-]+\s*=`,
      String.raw`<\s*\w+:\w+`,
      String.raw`<\s*[\w-]*\s*/?\s*>\s*\S*\s*</`,
      String.raw`[<＜﹤‹〈]\s*/?\s*script`,
      String.raw`<\s*/\s*[a-z]`,
    ),
  ),

  needing(
    '=(:@-',
    expression(
      'script-handler',
      STRICT,
      String.raw`(?:^|[\s"'<;/])(?:src|href)\s*=\s*["']?\s*(?:[a-z]+:|/|\.{1,2}/|#\w|\w+\.\w)`,
      String.raw`(?:^|[\s"'\x60/;<>])on(?:${HANDLERS})\s*=`,
      String.raw`(?:^|[\s"'\x60/;])(?:formaction|srcdoc|xlink:href|xmlns|fscommand|seeksegmenttime|dynsrc|lowsrc|http-equiv|autofocus|contenteditable|background|data-bind|v-html|v-bind:\w+|ng-\w+)\s*=`,
      String.raw`\bstyle\s*=.{0,200}(?:expression|behaviou?r|binding|url\s*\(|javascript|@import)`,
      String.raw`url\s*\(\s*['"]?\s*(?:javascript|vbscript|data)`,
      String.raw`-moz-binding|behaviou?r\s*:\s*url|@\s*import\s*['"(]|\bexpression\s*\(`,
      String.raw`\{\s*-moz-binding`,
    ),
  ),

  expression(
    'script-scheme',
    STRICT,
    String.raw`(?:java|vb|live|j)\s*script\s*:`,
    String.raw`\b(?:data|mhtml|mocha|feed|jar|wyciwyg|view-source)\s*:\s*(?:\w+/[\w.+-]+\s*[;,]|[;,]|\w+://)`,
    String.raw`javascript\s*&?(?:colon|newline|tab)?;?\s*:`,
  ),
  expression(
    'markup-declaration',
    STRICT,
    String.raw`!\s*(?:entity|doctype|element|attlist)\b\s*[%\w]`,
    String.raw`\bxmlns(?:\s*:\s*\w+)?\s*=`,
    String.raw`\bxsi\s*:\s*\w+\s*=`,
    String.raw`<\?\s*xml\b`,
    String.raw`&\s*(?:newline|tab|colon|lpar|rpar|sol|bsol|grave|lcub|rcub)\s*;`,
  ),
  needing(
    '([.={`+',
    expression(
      'script-code',
      STRICT,
      String.raw`(?-i:Function)\s*\(\s*['"\x60]`,
      String.raw`\.\s*(?:parentnode|innerhtml|outerhtml|innertext|appendchild|insertadjacenthtml|createcontextualfragment)\b`,
      String.raw`["']\s*[^a-z0-9~_:'\s"].{0,80}\.\s*\w+\s*=[^=]`,
      String.raw`\b(?:alert|confirm|prompt|eval|escape|fetch)(?:\?\.)?(?:\x60|\(\s*(?:$|\)|['"\x60/\d(\[]|\w+\s*[().\[+,;]))`,
      String.raw`\b(?:alert|confirm|prompt|eval|escape|fetch)\s*\(\s*(?:$|\)|['"\x60/]|\d+\s*\)|\w+\s*\(|(?:document|window|self|top)\b)`,
      String.raw`\b(?:settimeout|setinterval|setimmediate|execscript|atob|btoa|unescape|decodeuri(?:component)?|importscripts|requestanimationframe|queuemicrotask|showmodaldialog)\s*(?:\?\.)?\s*[(\x60]`,
      String.raw`\b(?:document|window|self|top|parent|frames|globalthis|location|navigator|history)\s*\.\s*(?:cookie|write|writeln|domain|location|body|forms?|referrer|url|baseuri|getelement\w*|queryselector\w*|createelement|addeventlistener|implementation|domain|alert|open|name|eval|constructor|href|hash|search|replace|assign|reload|origin|parent|top|self|execcommand|useragent|sendbeacon|pushstate|localstorage|sessionstorage|onload|onerror)\b`,
      String.raw`\b(?:${OBJECTS})\s*\)?\s*\[`,
      String.raw`\[\s*["'\x60](?:alert|eval|document|cookie|constructor|window|location|prompt|confirm|function|settimeout|setinterval|open|write|domain|fetch)["'\x60]\s*\]`,
      String.raw`\b(?:xmlhttprequest|activexobject|fromcharcode|localstorage|sessionstorage)\b`,
      String.raw`[\[\]!+()]{9,}`,
      String.raw`!\s*\[\s*\]|\+\s*\[\s*\]|\[\s*\]\s*\+`,
      String.raw`\[\s*[\w,\s]*\s*\]\s*\.\s*(?:map|sort|find|findindex|filter|foreach|at|some|every|reduce|reduceright|concat|flatmap|from|constructor|join|pop|push)\b`,
      String.raw`\.\s*(?:call|apply|bind)\s*[(\x60]`,
      String.raw`\.\s*constructor\b\s*[.(\[]`,
      String.raw`\bfunction\s*\w{0,40}\s*\(\s*[\w,\s]{0,80}\)\s*(?:\{|$)|\bfunction\s*\(\s*\)`,
      String.raw`(?:\)|\b\w+)\s*=>\s*\{|\(\s*\)\s*=>|\w=>\w+[(.]`,
      String.raw`["']\s*in\b.{0,60}(?:valueof|tostring|location|name|onerror)\s*=`,
      String.raw`["'][,;)\]}\s]*\b(?:location|name|valueof|tostring|onerror)\s*=`,
      String.raw`\b(?:while|for)\s*\(\s*(?:[;!+("'\[]|-|true\b|false\b|\d+\s*\)|infinity|nan\b|(?:var|let|const)\s|\w+\s*(?:=|<|>|in\b|of\b)\s*\w+\s*[;)])`,
      String.raw`\bnew\s*\(?\s*(?:image|function|xmlhttprequest|websocket|worker)\b`,
      String.raw`\bvar\s+\w+\s*=\s*\S|\b(?:let|const)\s+\w+\s*=\s*(?:new\b|function|\(|\[|\{|['"\x60])`,
      String.raw`\(\s*\)\s*=>|\bvoid\s*\(|\bthrow\s+\S+\s*;|\bdelete\s+\w+\.\w+`,
      String.raw`\$\s*\{\s*(?:alert|eval|prompt|confirm|window|document)\b`,
    ),
  ),

  expression(
    'script-encoding',
    STRICT,
    String.raw`\+ad[w4]-`,
    String.raw`\+a(?:DwA|D4A|Dx|HMA|CIA)[\w+/]*-?`,
    String.raw`(?:\\u00|\\x|%u00)(?:3c|3e|22|27|28|60).{0,40}(?:script|alert|eval|on\w+)`,
    String.raw`#@~\^`,
  ),
];
