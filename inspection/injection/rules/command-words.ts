const list = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Programs and builtins of Unix shells whose names are no words of clinical prose. */
export const CLEAR_COMMANDS = list(`
7za? adduser agetty  ansible(?:-\\w+)? apk aptitude apt-get apt  arj arping aria2c  asterisk at[qd] atobm
[gmn]awk base(?:32|58|64) basenc basez bash  bconsole blkid bpftrace  bundle(?:r|d)? bunzip2 busctl busybox byebug
bz(?:z?cat|diff|e?grep|less|more|ip2?)? c[89]9(?:-gcc)?  capsh cargo certbot check_by_ssh check_cups check_log
check_memory check_raid check_ssl_cert check_statusfile chage chattr chef(?:-\\w+)? chflags chgrp chmod choom chown chpasswd chroot
chsh clang(?:\\+\\+)? cmp cobc  comm compgen  coproc  cowthink cpan cpio cpulimit  crontab
cscli csh csplit csvtool cupsfilter curl d?ash   debugfs dhclient  diff3 dig dmesg dmidecode dmsetup dnf doas docker
dos2unix dosbox dotnet dpkg dstat  dvips easy_install  ebtables  e?grep efax egrep  emacs    esxcli  execvp
exiftool  f?grep fdisk fc-list  fgrep  fishd?  fmt fping fsck ftp(?:stats|who)? fusermount g\\+\\+ gcc gcore gdb 
 genisoimage getfacl getent ghc ghci  ginsh git gpasswd gpg  groupadd groupdel groupmod  gsh gtester gunzip
gzcat gzexe gzip hashcat    hping3 htdigest htop htpasswd iconv ifconfig ifdown iftop ifup inotifywait
insmod ionice ip6?tables ipcrm ipcs  ispell  jjs  journalctl  jrunscript jshell  
k(?:sh|shell) kadmin killall  kpartx ksshell kubectl last(?:comm|log(?:in)?) latexmk? ldconfig ldd ld(?:\\.so)? lftp(?:get)?  ln logname
logsave losetup  ls(?:-F|b_release|cpu|hw|mod|of|pci|usb|blk|attr)? ltrace lua(?:jit|la|tex)? lwp-(?:download|dump|mirror|request) lynx lyxn lxc-\\w+
lz(?:4c?(?:at)?|c(?:at|mp)|diff|[ef]?grep|less|m(?:a(?:dec|info)?|ore)|ip)? mail[qx]? mailx mawk md5sum minicom mk(?:dir|fifo|nod|temp|passwd) mlocate modprobe
   msfconsole msgattrib msgcat msgconv msgfilter msgmerge msguniq mtr   mysql(?:admin|dump(?:slow)?|hotcopy|show)?
n[ac]sm nano nasm nawk nc(?:\\.(?:openbsd|traditional))? ncat nccat neofetch neqn netcat netkit-ftp netplan netstat nft ng(?:rep|inx) nmap nohup  npm npx nroff ns(?:enter|lookup|tat) ntpdate
ocaml octave onintr openssl opkg openvt openvpn pacman  passwd  paxctl pdb pdf(?:la)?tex pdksh perf perl(?:\\d(?:\\.\\d+)*|sh)?  pf(?:ctl|tp) pg_dump pgrep php(?:[-_]cgi|\\d+(?:\\.\\d+)?)?  pidstat pigz ping6? pip(?:x|\\d(?:\\.\\d+)?)?
pkexec pkg(?:_?info)? pkill  podman popd powerlog powershell pwsh printenv printf procan psed psftp psql ptx pushd  pv pwd python(?:\\d(?:\\.\\d+)*)?
qemu-\\w+ r(?:ake|b(?:ash|env)|cp|m(?:dir|t|user)|nano|pm(?:db|query|verify)?|restic|sync|tv?i(?:mx?)|update-rc|view|vim) readarray readelf readlink realpath reboot  redis-cli rlogin rlwrap rsh rubi?y ruby rview rvim
run-(?:mailcap|parts) s(?:cp|csi|diff|etarch|etenv|etfacl|etfattr|etsid|ftp|g_\\w+|ha(?:\\d+)?sum|h(?:\\.distrib)?|hell|hopt|hred|hutdown|ilentbob|ipcalc|lsh|mbclient|nap|nice|ocat|ockstat|qlite3?|sh(?:-\\w+|d|pass)?|tart-stop-daemon|tdbuf|trace|trings|tty|u(?:do)?|vn|wapoff|ysctl|ystemctl|ystemd-\\w+)
tac tailf  task(?:set|warrior) tclsh tcpdump tcping tcptraceroute tcsh tdbtool  telnet  texindex tftp timedatectl tmux traceroute6? tshark  tsh ttytter 
ua(?:use)? uconv  ulimit umask umount uname uncompress unexpand uniq unix2dos unlink unlz(?:4|ma)? unpigz unrar unset unshare unsquashfs unxz unzip unzst(?:d)? update-alternatives  urllib user(?:add|del|mod) uudecode uuencode
 vi(?:ew|gr|m(?:diff)?|pw|rsh|sudo)?  w3m(?:mirror)? wget wh(?:iptail|o(?:ami|is))  wireshark 
x(?:args|dotool|elatex|etex|mllint|modmap|mo(?:re|n)|pad|term|xd|z(?:cat|cmp|dec|diff|[ef]?grep|less|more)?)  yelp  zathura
z(?:athura|c?at|cmp|diff|[ef]?grep|ip(?:cloak|details|note|split|tool)?|less|more|run|sh|soelim|std(?:cat|grep|less|mt)?|ypper)
`).map((word) => word.replaceAll(String.raw`\\`, '\\'));

/** Those that are words, abbreviations or parts of names in prose too: only with what makes them commands. */
export const WORD_COMMANDS = list(`
rm sed awk truncate kill crash batch bridge dialog pax expect flock fetch highlight links mount echo perms cancel java(?:c|ws)? type dash dd du eb ul fi mv julia julius alpine arch esac env gem grub grc aspell colcrt node(?:js)? pic[ou] red-carpet tee tar elvish wish wine yum yarn uptime vagrant volatility mosquitto composer genie gimp hd hexdump irb jobs jq lp(?:ath)?admin multitool puppet esh eval terraform cowsay mosh parted pluma
alias as ascii-xfr ascii85 ash at bc bg break cat caller case cc cd check clear column command cp cut date declare df diff dir disable
do docker done ed enable eqn ex exec exit expand export fg file find finger fold for foreach free function gcc get halt hash head help
history host hup id if info install ip join jobs last less let local locate login logout look ls ltm m4 mail make man mesg more mutt
nice nl nm od pg pic popen pr pry ps purge rc read red return rev route runas save screen script sed select service set shift
shuf sleep soelim sort source split ss stat strings su sum tail task tasksh tbl test tex then tic time timeout times top touch trap tr troff
true tsc type unalias until wait watch wc while who w write xx yes
`);

/** Programs of Windows that prose does not name. */
export const WINDOWS_COMMANDS = list(`
assoc attrib auditpol autochk autoconv bcdboot bcdedit bdehdcfg bitsadmin bootcfg cacls certreq certutil change chcp chkdsk chkntfs
choice cipher cleanmgr clip cmdkey cmstp cscript csvde control convert copy dcdiag dcgpofix dcpromo defrag del dfsutil dir diskcomp
diskcopy diskpart diskperf diskraid diskshadow dispdiag djoin doskey driverquery dsacls dsadd dsget dsmod dsquery edit erase esentutl
eventcreate evntcmd expand extrac32 fc fciv findstr flattemp fondue forfiles format freedisk fsutil ftype fveupdate getmac gettype
goto gpfixup gpresult gprslt gpupdate graftabl helpctr hh hostname icacls inuse ipconfig irftp ipxroute ismserv jetpack klist ksetup ktmutil
ktpass label ldifde lodctr logman logoff lpq lpr macfile makecab manage-bde mapadmin md mklink mkdir mmc mode mountvol move mqbkup mqsvc
mqtgsvc msdt mshta msiexec msinfo32 mstsc nbtstat net net1 netcfg netdom netsh netstat nfsadmin nfsshare nfsstat nlbmgr nltest ntbackup
ntcmdprompt ntdsutil ntfrsutl openfiles pagefileconfig pathping pentnt perfmon pnpunattend pnputil popd powercfg powershell print prncnfg
prndrvr prnjobs prnmngr prnport prnqctl psexec pubprn pushd pushprinterconnections pwlauncher pwsh qappsrv qprocess query quser qwinsta rasdial
rd rdpsign recover reg regasm regedit regini regsvcs regsvr32 relog rem ren rename repair-bde replace reset rexec risetup rmdir robocopy
rpcinfo rpcping rundll32 runas rwinsta sc schtasks scwcmd secedit serverceipoptin servermanagercmd serverweroptin setlocal setx sfc shadow
showmount shutdown start subst sxstrace syskey sysocmgr systeminfo takeown tapicfg taskkill tasklist tcmsetup telnet tftp title tlntadmn
tpmvscmgr tracerpt tracert tree tscon tsdiscon tsecimp tskill tsprof type typeperf tzutil unlodctr ver verifier verify vol vssadmin
w32tm waitfor wbadmin wdsutil wecutil wevtutil where whoami winmsd winpop winrm winrs winsat wlbs wmic wscript wsl wusa xcopy
`);

/** A word that is a command of one system or another; unanchored parts do not count. */
export const COMMAND_PATTERN = new RegExp(
  `^(?:${[...CLEAR_COMMANDS, ...WORD_COMMANDS, ...WINDOWS_COMMANDS].join('|')})$`,
);
