dnl FOR BUILDS ON DEBIAN ONLY (rpm/debian.macros): what Fedora's policy headers have and those of Debian's
dnl selinux-policy-dev lack, so that the policy compiles there too. No package for users is built with it.
define(`init_nnp_daemon_domain',`
	gen_require(`
		type init_t;
	')

	allow init_t $1:process2 { nnp_transition nosuid_transition };
')
define(`files_pid_file',`files_runtime_file($1)')
