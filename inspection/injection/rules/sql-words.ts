/** Alternatives of an expression; the words hold nothing that would have to be escaped but dots. */
export function anyOf(words: readonly string[]): string {
  return words.map((word) => word.replaceAll('.', String.raw`\.`)).join('|');
}

const list = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Functions of MySQL, PostgreSQL, SQL Server, Oracle and SQLite whose names are no words of prose. */
export const CLEAR_FUNCTIONS = list(`
acos adddate addtime aes_decrypt aes_encrypt array_agg array_length array_to_json array_to_string ascii asciistr asin
asymmetric_key atan atan2 atn2 benchmark bin_to_uuid bit_and bit_count bit_length bit_or bit_xor btrim cbrt ceil
charindex char_length character_length charset chr coalesce coercibility col_length col_name collation column_get
column_json concat concat_ws connection_id convert_tz crc32 cume_dist curdate current_database current_date
current_query current_schema current_schemas current_setting current_time current_timestamp current_user currval curtime
database_to_xml datalength date_add date_format date_part date_sub date_trunc datediff datename datepart dateadd dayname
dayofmonth dayofweek dayofyear db_id db_name dcount decrypt des_decrypt des_encrypt dense_rank dfirst dlast
dlookup dmax dmin dsum encode encrypt export_set extractvalue filetoclob find_in_set first_value format_bytes
found_rows from_base64 from_days from_unixtime fulltext getdate getutcdate get_bit get_byte get_format get_lock
gen_random_uuid generate_series group_concat group_functions has_table_privilege hex ifnull iif inet6_aton
inet6_ntoa inet_aton inet_ntoa inet_server_addr inet_server_port initcap instrrev is_free_lock is_ipv4
is_ipv4_compat is_ipv4_mapped is_ipv6 is_not_null is_null is_srvrolemember is_used_lock is_uuid isdate isnull isnumeric
json_array json_arrayagg json_array_append json_array_insert json_build_object json_contains json_contains_path
json_depth json_extract json_group_array json_insert json_keys json_length json_merge json_object json_objectagg
json_object_agg json_overlaps json_patch json_pretty json_quote json_remove json_replace json_search json_set json_table
json_tree json_type json_unquote json_valid json_value jsonb_agg jsonb_array_elements jsonb_build_object jsonb_each
jsonb_object_keys jsonb_pretty jsonb_set jsonb_typeof justify_days last_insert_id last_value lcase likelihood 
listagg lo_create lo_export lo_from_bytea lo_get lo_import lo_put load_extension load_file localtime localtimestamp
locate log10 log2 lpad ltrim make_set makedate maketime master_pos_wait md5 member_of microsecond month_name monthname
name_const nchr newid newsequentialid nextval nth_value ntile nullif nvl nvl2 object_definition object_id object_name
oct octet_length old_password openjson openrowset patindex percent_rank period_add period_diff pg_backend_pid
pg_client_encoding pg_column_size pg_conf_load_time pg_current_logfile pg_database_size pg_get_userbyid pg_is_in_recovery
pg_ls_dir pg_read_binary_file pg_read_file pg_reload_conf pg_sleep pg_sleep_for pg_sleep_until pg_stat_file
pg_terminate_backend pg_user quotename quote_ident quote_literal quote_nullable radians rand randomblob 
rawtohex rawtonhex rawtonhextoraw regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace
regexp_split_to_array regexp_split_to_table regexp_substr release_lock replicate row_count row_number row_to_json rpad
rtrim sec_to_time schema_name scope_identity session_user sha sha1 sha2 sha224 sha256 sha384 sha512 soundex
sql_to_sqlite_master sqlite_compileoption_get sqlite_compileoption_used sqlite_source_id sqlite_version sqrt
starts_with stddev stddev_pop stddev_samp str_to_date strcmp strftime string_agg string_to_array strpos subdate
substr substring substring_index subtime suser_name suser_sname switchoffset sysdate sysdatetime sysdatetimeoffset
sysutcdatetime system_user table_to_xml time_format time_to_sec timediff timestampadd timestampdiff to_ascii
to_base64 to_char to_date to_days to_hex to_json to_jsonb to_number to_nchar to_seconds to_timestamp total_changes
 try_cast try_convert try_parse typeof txid_current ucase uncompress uncompressed_length unhex unicode unistr
unix_timestamp updatexml updatexmltype user_id user_name utc_date utc_time utc_timestamp uuid uuid_short
uuid_to_bin validate_password_strength var_pop var_samp weekofyear weight_string width_bucket xmlagg
xmlconcat xmlelement xmlforest xmlparse xmlserialize xmltype yearweek zeroblob query_to_xml getpgusername
asymkey_id connectionproperty convert_from convert_to pg_typeof nchar varchar varchar2 nvarchar datetime
datetime2 datetimeoffset smalldatetime utl_inaddr.get_host_address ctxsys.drithsx.sn
`);

/** Functions that are words of prose or abbreviations as well: only where the bracket follows at once, or code does. */
export const WORD_FUNCTIONS = list(`
abs any bin ceiling changes char collapse compress convert count database date day decode default degrees elt exists exp
extract field floor format get glob hour insert if last last_day least left len length log lower match max md min minute
mid mod month ord password percent position power quarter quote random repeat replace reverse right round row schema
second sign sin sleep some space std sum time timestamp total translate trim truncate upper user values variance version
week year cast now interval rank tan dump pi greatest weekday likely unlikely difference trunc overlay stuff ln conv avg cot instr cos pow
`);

/** Names of what only a database has. */
export const SCHEMA_NAMES = list(
  `
information_schema pg_catalog pg_class pg_namespace pg_roles pg_shadow pg_stat_activity pg_tables pg_user pg_database
performance_schema sysobjects syscolumns sysusers sysdatabases syscat syscomments sysconstraints sysdba sysibm sysmaster
sysprocesses syslogins sysfilegroups sysaux sysxlogins sys.tables sys.objects sys.columns sys.databases sys.user_tables
sys.user_objects sys.user_triggers sys.user_constraints sys.all_tables sys.tab sys.schemas sys.server_principals
mysql.user mysql.db mysql.host mysql.innodb_table_stats msysaces msysobjects msysqueries msysrelationships msysaccessstorage
msysmodules msysaccessobjects msysaccessxml msysnavpanegroups msysnavpaneobjectids msysnavpanegrouptoobjects msyscolumns
sqlite_master sqlite_temp_master sqlite_schema sqlite_sequence sqlite_stat1 all_tab_columns all_tables all_users
user_tables user_tab_columns user_tab_tables user_objects user_constraints user_ind_columns user_users user_password
dba_users dba_tables dba_tab_columns v$version v$session v$parameter table_name table_schema column_name column_id
schema_name schemaname table_catalog constraint_type attrelid attnotnull atttypid rownum tempdb northwind msdb msdasql
sqloledb adventureworks master..sysdatabases master.dbo xp_cmdshell xp_regread xp_regwrite xp_regdeletevalue xp_dirtree
xp_enumdsn xp_filelist xp_availablemedia xp_loginconfig xp_makecab xp_ntsec xp_terminate xp_servicecontrol xp_fileexist
sp_executesql sp_oacreate sp_password sp_makewebtask sp_prepare sp_sqlexec sp_configure sp_addextendedproc sp_addlogin
sp_addsrvrolemember sp_helpdb utl_http utl_file utl_inaddr dbms_java dbms_lock dbms_pipe dbms_ldap dbms_xmlgen dbms_xslprocessor
dbms_random dbms_output openquery opendatasource openrowset opendataset dbo.sysobjects autonomous_transaction
database_principals db_owner fn_virtualfilestats is_member is_srvrolemember sys_context sql_variant waitfor
`.replaceAll('$', String.raw`\$`),
);
