const alternatives = (text: string): string => text.trim().split(/\s+/).join('|');

/** Functions of PHP by which code runs, files are read or something is told of the server: no words of prose. */
export const CLEAR_CALLS = alternatives(`
array_(?:diff|filter|intersect|map|reduce|udiff|uintersect|walk|walk_recursive|key_exists|merge|pop|push|search|slice|rand|reverse|fill|flip|keys|values|unique|combine)\\w*
assert_options base64_(?:de|en)code base_convert bcpow bin2hex bzdecompress bzopen bzread call_user_(?:func|method)\\w* chmod chown chgrp convert_uu(?:de|en)code
create_function curl_\\w+ dba_open debug_backtrace debug_zval_\\w+ define_syslog_variables disk_free_space dl error_log escapeshell(?:arg|cmd) eval(?:uate)? exif_\\w+ extension_loaded
fgetcsv fgetss? file_(?:exists|get_contents|put_contents) fileatime filegroup fileinode filemtime fileowner fileperms filesize filetype find_(?:file|library)? finfo_open fopen fpassthru fputcsv fputs
fread fscanf fsockopen ftp_\\w+ func_get_args? fwrite get_c(?:fg_var|urrent_user|lass\\w*) get_defined_\\w+ get_include_path get_included_files get_loaded_extensions get_magic_quotes\\w* get_meta_tags getallheaders getcwd getenv gethostby\\w+ getimagesize
getlastmod getmygid getmyinode getmypid getmyuid getopt getprotoby\\w+ getrusage getservby\\w+ gettimeofday gz(?:close|compress|decode|deflate|encode|file|getc|getss?|inflate|open|passthru|puts?|read|uncompress|write) highlight_(?:file|string) html_entity_decode htmlentities htmlspecialchars\\w* hex2bin
http_build_query iconv_\\w+ image2?wbmp imagecreate\\w* imagegd2? imagejpeg imagepng imap_\\w+ include_once ini_(?:alter|get(?:_all)?|restore|set) inotify_\\w+ is_(?:dir|executable|file|link|numeric|callable|readable|uploaded_file|writeable|writable) iterator_apply
json_(?:de|en)code lchgrp lchown ldap_\\w+ leak linkinfo loadxml lstat mb_(?:ereg\\w*|parse_str|send_mail|convert_\\w+|strlen|substr) mcrypt_\\w+ mdecrypt_generic method_exists mkfifo move_uploaded_file mssql_\\w+ mysqli?_\\w+ ob_(?:clean|end_\\w+|flush|get_\\w+|start)
oci_\\w+ odbc_\\w+ opendir openlog openssl_\\w+ parse_(?:ini_(?:file|string)|str|url) passthru pathinfo pcntl_\\w+ pfsockopen pg_\\w+ php_(?:sapi_name|strip_whitespace|uname) php(?:credits|info|version) popen posix_\\w+ preg_(?:grep|match\\w*|quote|replace\\w*|split) print_r
proc_(?:close|get_status|nice|open|terminate) proxy_\\w+ putenv rawurl(?:de|en)code read(?:_exif_data|dir|file|gzfile|line\\w*|link) realpath register_(?:shutdown|tick)_function require_once rewinddir runkit_\\w+ scandir session_\\w+ set_(?:error|exception)_handler set_include_path
set_time_limit setcookie setrawcookie shell_exec shmop_\\w+ show_source similar_text simplexml_\\w+ sleep_until socket_\\w+ spl_autoload\\w* sqlite_\\w+ str_(?:get\\w+|ireplace|pad|repeat|replace|rot13|shuffle|split|word_count) strrev strtr strip_tags stripslashes stream_\\w+ symlink sys_get\\w+ syslog tempnam tmpfile
token_get_all touch_file trigger_error u[ak]?sort unlink unserialize unpack urldecode urlencode utf8_(?:de|en)code usleep var_(?:dump|export) virtual_file vfprintf vprintf vsprintf win32_\\w+ xml_parse\\w* xmlrpc_\\w+ xpath_eval\\w* zend_\\w+ zip_\\w+ zlib_(?:de|en)code
fprintf sprintf printf_r rot13 serialize settype strpbrk substr_\\w+ ctype_\\w+ is_a is_array filter_(?:input|var)\\w* apache_\\w+ cli_\\w+ chroot com_load\\w* gzuncompress hash_(?:file|hmac|update)\\w* iis_\\w+ mhash nsapi_\\w+ wddx_\\w+ yaml_parse\\w* array_multisort
`);

/** Those that are words as well: only called at once, with something in the brackets. */
export const CALLS = alternatives(`
assert array basename chdir chop chr closedir compact constant copy count crypt current date decode define defined delete die dir dirname each echo empty encode end ereg eval exec exit explode extract feof fflush file
filter flock flush format get glob hash header hex2bin idate implode include isset join key link list log mail max md5 mkdir min next nl2br open opendir ord pack pclose pos prev printf print rand range read
rename require reset return rewind rmdir round scan shuffle sort split stat strlen strtolower strtoupper substr symlink system tidy touch trim umask uniqid unset virtual write define execute unpack
`);

/** Settings of php.ini. */
export const SETTINGS = alternatives(`
allow_url_fopen allow_url_include always_populate_raw_post_data arg_separator\\.\\w+ asp_tags assert\\.\\w+ async_send auto_append_file auto_detect_line_endings auto_globals_jit auto_prepend_file blenc\\.\\w+
bcmath\\.scale browscap cgi\\.\\w+ child_terminate cli(?:_server)?\\.\\w+ com\\.\\w+ crypt_\\w+ curl\\.cainfo date\\.\\w+ daemonize dba\\.\\w+ default_(?:charset|mimetype|socket_timeout) define_syslog_variables
disable_(?:classes|functions) display_(?:startup_)?errors doc_root docref_(?:ext|root) emergency_restart_\\w+ enable_(?:dl|post_data_reading) engine error_(?:append_string|log|prepend_string|reporting) exif\\.\\w+ exit_on_timeout expect\\.\\w+ expose_php extension(?:_dir)? ffi\\.\\w+ fbsql\\.\\w+ file_uploads filter\\.\\w+ from
gd\\.\\w+ geoip\\.\\w+ hard_timeout hidef\\.\\w+ highlight\\.\\w+ html_errors htscanner\\.\\w+ http\\.\\w+ ibase\\.\\w+ iconv\\.\\w+ ifx\\.\\w+ ignore_(?:repeated_\\w+|user_abort) imagick\\.\\w+ imap\\.\\w+ implicit_flush include_path input_encoding intl\\.\\w+ internal_encoding last_modified ldap\\.\\w+ log_errors(?:_max_len)? log_level
magic_quotes_\\w+ mail\\.\\w+ mailparse\\.\\w+ mbstring\\.\\w+ maxdb\\.\\w+ max_(?:execution|input|file)_\\w+ mcrypt\\.\\w+ memcached?\\.\\w+ memory_limit mime_magic\\.\\w+ mongo\\.\\w+ msql\\.\\w+ mssql\\.\\w+ mysql(?:i|nd(?:_\\w+)?)?\\.\\w+ namazu\\.\\w+ newrelic\\.\\w+ nsapi\\.\\w+ oci8\\.\\w+ odbc\\.\\w+ opcache\\.\\w+ open_basedir openssl\\.\\w+ opendirectory\\.\\w+ output_(?:buffering|encoding|handler)
pcre\\.\\w+ pdo(?:_odbc)?\\.\\w+ pfpro\\.\\w+ pgsql\\.\\w+ phar\\.\\w+ post_max_size precision process_control_timeout realpath_cache_\\w+ register_\\w+ report_(?:memleaks|zend_debug) request_(?:order|slowlog_timeout|terminate_timeout) rlimit_\\w+ runkit\\.\\w+ safe_mode\\w* sendmail_(?:from|path) serialize_precision session\\.\\w+ short_open_tag simple_cvs\\.\\w+ smtp(?:_port)? soap\\.\\w+ sql\\.safe_mode sqlite3?\\.\\w+ suhosin\\.\\w+ sybct\\.\\w+ sybase\\.\\w+ sys_temp_dir sysvshm\\.\\w+ syslog\\.\\w+ system_stat
taint\\.\\w+ tidy\\.\\w+ track_errors trader\\.\\w+ unserialize_\\w+ uploadprogress\\.\\w+ upload_(?:max_filesize|tmp_dir) url_rewriter\\.\\w+ user_(?:agent|dir|ini\\.\\w+) valkyrie\\.\\w+ variables_order vld\\.\\w+ wincache\\.\\w+ windows\\.\\w+ xbithack xcache\\.\\w+ xdebug\\.\\w+ xmlrpc_\\w+ xmms\\.\\w+ yaml\\.\\w+ yami\\.\\w+ yaz\\.\\w+ zend(?:_extension\\w*|\\.\\w+) zlib\\.\\w+
`);
