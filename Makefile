# entra-invite
#
#   sudo make demo     installs what the build needs, builds, and shows the main job against a simulated Microsoft Graph
#   sudo make check    installs what the build needs, builds, and runs every test
#   sudo make bench    measures it against the least that anything must do, see tests/bench/README.md
#   sudo make soak     the long forms of the tests that draw or go through what can go wrong, see tests/soak
#   sudo make fuzz     feeds what reads bytes from outside with bytes that nobody would send, see tests/fuzz/README.md
#   make deb, make rpm build the packages, into build/deb and build/rpm
#
# GNU make. Built files go to build/ only. PREFIX, SYSCONFDIR, LOCALSTATEDIR, RUNSTATEDIR and DESTDIR as in the GNU
# conventions; the first four are compiled in (the login path takes no path from its environment).

VERSION       := 0.1.0
PREFIX        ?= /usr
BINDIR        ?= $(PREFIX)/bin
SBINDIR       ?= $(PREFIX)/sbin
LIBEXECDIR    ?= $(PREFIX)/libexec
MANDIR        ?= $(PREFIX)/share/man
DATADIR       ?= $(PREFIX)/share
LOCALEDIR     ?= $(DATADIR)/locale
SYSCONFDIR    ?= /etc
LOCALSTATEDIR ?= /var
RUNSTATEDIR   ?= /run
UNITDIR       ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR   ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR   ?= $(PREFIX)/lib/tmpfiles.d
CATALOGDIR    ?= $(PREFIX)/lib/systemd/catalog
DOCDIR        ?= $(DATADIR)/doc/entra-invite
DESTDIR       ?=

CC       ?= gcc
BUILD    ?= build
# Empty for a release; the tests build variants of their own below.
VARIANT  ?= release

# A package is built by whatever compiler comes: WERROR= is for those builds.
WERROR   ?= -Werror
WARN     := -Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla -Wundef
# Options that only some compilers and processors have.
cc_has    = $(shell $(CC) -Werror $(1) -E -x c /dev/null >/dev/null 2>&1 && echo $(1))
HARDEN   := -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE $(call cc_has,-fstack-clash-protection) \
            $(call cc_has,-fcf-protection)
HARDEN_L := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
CPPFLAGS += -D_GNU_SOURCE -I. -DEI_VERSION='"$(VERSION)"' -DEI_SYSCONFDIR='"$(SYSCONFDIR)"' \
            -DEI_LOCALSTATEDIR='"$(LOCALSTATEDIR)"' -DEI_RUNSTATEDIR='"$(RUNSTATEDIR)"' -DEI_LOCALE_DIR='"$(LOCALEDIR)"'

ifeq ($(VARIANT),release)
VFLAGS   := $(HARDEN)
VLINK    := $(HARDEN_L)
else ifeq ($(VARIANT),failpoints)
VFLAGS   := $(HARDEN) -DEI_FAILPOINTS
VLINK    := $(HARDEN_L)
else ifeq ($(VARIANT),sanitize)
VFLAGS   := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined -DEI_FAILPOINTS
VLINK    := -fsanitize=address,undefined
else ifeq ($(VARIANT),package)
# All but what makes programs and modules is the packager's, by CPPFLAGS, CFLAGS and LDFLAGS.
VFLAGS   := -fPIE $(call cc_has,-fcf-protection)
VLINK    := -pie
else ifeq ($(VARIANT),coverage)
VFLAGS   := -O0 -g --coverage -fprofile-update=atomic -DEI_FAILPOINTS
VLINK    := --coverage
else ifeq ($(VARIANT),thread)
VFLAGS   := -O1 -g -fsanitize=thread
VLINK    := -fsanitize=thread
else ifeq ($(VARIANT),memory)
CC       := clang
VFLAGS   := -O1 -g -fno-omit-frame-pointer -fsanitize=memory -fsanitize-memory-track-origins
VLINK    := -fsanitize=memory
else ifeq ($(VARIANT),clang)
CC       := clang
VFLAGS   := -O2 -g
VLINK    :=
else ifeq ($(VARIANT),fuzz)
CC       := clang
VFLAGS   := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
VLINK    := -fsanitize=fuzzer,address,undefined
else
$(error VARIANT is release, package, failpoints, sanitize, coverage, thread, memory, clang or fuzz)
endif

CFLAGS_ALL = -std=c17 $(WARN) $(VFLAGS) $(CFLAGS)
OUT     := $(BUILD)/$(VARIANT)

# --- what the build needs -------------------------------------------------------------------------------------------
# A compiler and -dev packages; what tests need beyond that goes into a throw-away layer (tests/host/lab).
DEPS_APT := gcc libc6-dev make libcurl4-openssl-dev libcjson-dev libconfig-dev libidn2-dev libpam0g-dev \
            libsqlite3-dev libssl-dev libcdb-dev
# findutils and util-linux are missing in dnf systems' smallest containers only.
DEPS_DNF := gcc glibc-devel make libcurl-devel cjson-devel libconfig-devel libidn2-devel pam-devel sqlite-devel \
            openssl-devel tinycdb-devel findutils util-linux
# For make check only: the unit tests' framework, and what dnf systems keep apart from gcc.
DEPS_CHECK_APT := libcmocka-dev
DEPS_CHECK_DNF := libcmocka-devel libasan libubsan

LIBS_WORKER := -lcurl -lcjson -lconfig -lidn2 -lsqlite3 -lcdb -lcrypto -lm -lpthread
LIBS_CLI    := -lcjson -lconfig -lidn2 -lm

# --- sources --------------------------------------------------------------------------------------------------------
BASE_SRC    := $(wildcard common/base/*.c)
ACCOUNT_SRC := $(wildcard common/account/*.c)
CONFIG_SRC  := $(wildcard common/config/*.c)
GRAPH_SRC   := $(wildcard common/graph/*.c)
DELIVER_SRC := $(wildcard common/deliver/*.c)
STORE_SRC   := $(wildcard common/store/*.c common/store/sqlite/*.c)
IPC_SRC     := $(wildcard common/ipc/*.c)
VIEW_SRC    := $(wildcard common/view/*.c)
COMMON_SRC  := $(BASE_SRC) $(ACCOUNT_SRC) $(CONFIG_SRC) $(GRAPH_SRC) $(DELIVER_SRC) $(STORE_SRC) $(IPC_SRC) $(VIEW_SRC)
WORKER_SRC  := $(wildcard plugin/worker/*.c)
CLI_SRC     := $(wildcard plugin/cli/*.c)
HOOK_SRC    := $(wildcard plugin/hooks/*.c)
FLUSH_SRC   := $(wildcard plugin/flush/*.c)
PAM_SRC     := $(wildcard plugin/pam/*.c) common/view/view_read.c common/account/gecos.c
NSS_SRC     := $(wildcard plugin/nss/*.c) common/view/view_read.c
UNIT_SRC    := $(wildcard tests/unit/test_*.c)
BENCH_SRC   := $(wildcard tests/bench/*.c)
FUZZ_SRC    := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_COMMON := $(filter-out $(FUZZ_SRC),$(wildcard tests/fuzz/*.c))
C_FILES     := $(shell find common plugin tests -name '*.[ch]' 2>/dev/null | sort)

obj = $(patsubst %.c,$(OUT)/obj/%.o,$(1))
pic = $(patsubst %.c,$(OUT)/pic/%.o,$(1))
# The worker without its main, for the unit tests.
WORKER_LIB  := $(filter-out plugin/worker/main.c,$(WORKER_SRC))
CLI_LIB     := $(filter-out plugin/cli/main.c,$(CLI_SRC))
CLI_COMMON  := $(BASE_SRC) $(CONFIG_SRC) $(IPC_SRC) common/view/view_read.c common/view/view_each.c $(filter-out common/account/scan.c,$(ACCOUNT_SRC))
HOOK_COMMON := $(BASE_SRC) common/ipc/client.c common/ipc/varlink.c

# Translations of what is sent: a file for each language, named as gettext names it (de.po, zh_TW.po). There is none yet,
# so the build needs no gettext. make pot writes what translators begin with.
PODIR      ?= common/deliver/po
CATALOGUES := $(patsubst $(PODIR)/%.po,$(OUT)/locale/%/LC_MESSAGES/entra-invite.mo,$(wildcard $(PODIR)/*.po))

PROGRAMS := $(OUT)/entra-invited $(OUT)/entra-invite $(OUT)/entra-invite-hook $(OUT)/pam_entra_invite.so \
            $(OUT)/libnss_entra_invite.so.2 $(OUT)/entra-invite-flush

.PHONY: all programs pot deps deps-check check check-all check-units soak print-cppflags unit-programs fuzz fuzz-programs \
        bench-programs bench demo install uninstall \
        dist deb rpm clean
.DELETE_ON_ERROR:
.SECONDARY:

all: programs
programs: $(PROGRAMS) $(CATALOGUES)

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Code for modules: position-independent, hidden by default, and without sanitizers (their host has none).
$(OUT)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=c17 $(WARN) $(filter-out -fPIE -fsanitize=% -fno-sanitize-recover=%,$(VFLAGS)) $(CFLAGS) \
	    -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(OUT)/obj/common/ipc/interface.o: common/ipc/io.entrainvite.varlink

$(OUT)/entra-invited: $(call obj,$(WORKER_SRC) $(COMMON_SRC))
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ $(LIBS_WORKER)

$(OUT)/entra-invite: $(call obj,$(CLI_SRC) $(CLI_COMMON))
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ $(LIBS_CLI)

$(OUT)/entra-invite-hook: $(call obj,$(HOOK_SRC) $(HOOK_COMMON))
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ -lcjson -lm

$(OUT)/entra-invite-flush: $(call obj,$(FLUSH_SRC))
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^

ifeq ($(VARIANT),sanitize)
$(filter-out %.so %.2,$(PROGRAMS)): $(call obj,tests/host/asan_options.c)
endif

# libpam loads and unloads it for every login, and each page that this touches costs more than the look-up in the view:
# so no start files (there is nothing to construct or to end), and code and constants in one segment. It is position-
# independent, with RELRO and bound at once, all the same.
$(OUT)/pam_entra_invite.so: $(call pic,$(PAM_SRC)) plugin/pam/pam_entra_invite.map
	$(CC) -shared -nostartfiles -Wl,-z,defs,-z,relro,-z,now,-z,noseparate-code -Wl,--as-needed \
	    -Wl,--version-script=plugin/pam/pam_entra_invite.map $(filter --coverage,$(VLINK)) $(LDFLAGS) -o $@ $(filter %.o,$^) -lpam

$(OUT)/libnss_entra_invite.so.2: $(call pic,$(NSS_SRC)) plugin/nss/nss_entra_invite.map
	$(CC) -shared -nostartfiles -Wl,-soname,libnss_entra_invite.so.2 -Wl,-z,defs,-z,relro,-z,now,-z,noseparate-code \
	    -Wl,--as-needed -Wl,--version-script=plugin/nss/nss_entra_invite.map $(filter --coverage,$(VLINK)) $(LDFLAGS) -o $@ $(filter %.o,$^)

$(OUT)/locale/%/LC_MESSAGES/entra-invite.mo: $(PODIR)/%.po
	@mkdir -p $(@D)
	msgfmt --check-format --check-header -o $@ $<

# Without dates and lines, so that it changes when a text does.
POT ?= common/deliver/po/entra-invite.pot
pot:
	xgettext --files-from=common/deliver/po/POTFILES --keyword=T_ --from-code=UTF-8 --add-comments=Translators \
	    --no-location --package-name=entra-invite -o - | \
	    sed '/^"POT-Creation-Date/d; s/charset=CHARSET/charset=UTF-8/' > $(POT)

# All but the mains, for the unit tests.
$(OUT)/libunits.a: $(call obj,$(COMMON_SRC) $(WORKER_LIB) $(CLI_LIB) $(wildcard plugin/nss/*.c plugin/pam/*.c))
	rm -f $@
	ar rcs $@ $^

$(OUT)/test/%: $(OUT)/obj/tests/unit/%.o $(OUT)/libunits.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ $(LIBS_WORKER) -lpam -lcmocka

# The fuzz targets: with libFuzzer each is a program; the unit test that replays their corpora has them all in one.
ifneq ($(VARIANT),fuzz)
$(OUT)/obj/tests/fuzz/fuzz_%.o: CPPFLAGS += -DLLVMFuzzerTestOneInput=ei_$(notdir $*)
endif
$(OUT)/test/test_fuzz_corpora: $(call obj,tests/unit/test_fuzz_corpora.c $(FUZZ_SRC) $(FUZZ_COMMON)) $(OUT)/libunits.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ $(LIBS_WORKER) -lcmocka
$(OUT)/fuzz/%: $(OUT)/obj/tests/fuzz/fuzz_%.o $(call obj,$(FUZZ_COMMON)) $(OUT)/libunits.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ $(LIBS_WORKER)

# What the tests of the state machine have in their own hands: tests/unit/machine_fixture.h.
WRAPPED := calloc ei_carrier_send ei_collaborator_copy ei_graph_find_deleted ei_graph_find_users ei_graph_get_user \
           ei_graph_get_user_addresses ei_invite_send ei_offboard_send ei_text_set
$(addprefix $(OUT)/test/test_worker_,machine turn answers invited): private LDFLAGS += $(WRAPPED:%=-Wl,--wrap=%)
# And those of the modules: tests/unit/module_fixture.h.
WRAPPED_CALLS := calloc connect ei_gate_look ei_nss_number ei_nss_standing ei_pam_announce ei_view_read_groups fstat getuid \
                 malloc open openat pam_get_item poll pread read realloc recv send socket
$(OUT)/test/test_module_%: private LDFLAGS += $(WRAPPED_CALLS:%=-Wl,--wrap=%)

# Whose allocations fail one by one (tests/unit/torture_fixture.h).
$(OUT)/test/test_torture_%: VLINK += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=strdup \
    -Wl,--wrap=strndup,--wrap=asprintf,--wrap=__asprintf_chk

# Of the modules' code alone, for tests/bare/run.
$(OUT)/threads: $(call obj,tests/bare/threads.c $(NSS_SRC) common/view/view_write.c $(BASE_SRC))
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ -lcdb -lcjson -lm -lpthread
$(OUT)/memory: $(call obj,tests/bare/memory.c $(filter plugin/nss/%,$(NSS_SRC)) common/view/view_each.c \
                          $(filter-out plugin/pam/pam_entra_invite.c,$(PAM_SRC)))
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ -lpam

# Sends one message, for the host tests of common/deliver.
$(OUT)/deliver: $(OUT)/obj/tests/host/deliver/deliver.o $(OUT)/libunits.a
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ $(LIBS_WORKER)

$(OUT)/bench/%: $(OUT)/obj/tests/bench/%.o $(OUT)/libunits.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(VLINK) $(LDFLAGS) -o $@ $^ $(LIBS_WORKER) -lpam

# --- packages -------------------------------------------------------------------------------------------------------
# Lists what is missing first, then installs it. On a machine that has all of it this changes nothing and needs no root.
deps:
	@tests/host/deps "$(DEPS_APT)" "$(DEPS_DNF)"
deps-check: deps
	@tests/host/deps "$(DEPS_CHECK_APT)" "$(DEPS_CHECK_DNF)"

# --- tests ----------------------------------------------------------------------------------------------------------
# Every part ends with a line "part: N passed, N failed[, N skipped]".
check: deps-check
	@$(MAKE) --no-print-directory check-all
check-all:
	@tests/run

# Hours. Ends with a line for each part; PARTS chooses some of them. SEED=N and others repeat a run, see tests/soak.
soak: deps-check
	@tests/soak $(PARTS)

# What tests/analysis/run gives to analysers.
print-cppflags:
	@printf '%s\n' '$(subst ','\'',$(CPPFLAGS))'

unit-programs: $(patsubst tests/unit/%.c,$(OUT)/test/%,$(UNIT_SRC))

# For package builds: the unit tests that need no network, no root, no Node.js, no gettext, no linker's --wrap (which does
# not go with optimising while linking).
OWN_WORLD := $(filter-out test_deliver_% test_graph_% test_module_% test_torture_% test_worker_%,$(patsubst tests/unit/%.c,%,$(UNIT_SRC)))
check-units: $(OWN_WORLD:%=$(OUT)/test/%)
	@for program in $^; do echo "$$program" && EI_SOURCE_DIR=$(CURDIR) EI_BUILD_DIR=$(CURDIR)/$(OUT) "$$program" || exit 1; done

fuzz-programs: $(patsubst tests/fuzz/fuzz_%.c,$(OUT)/fuzz/%,$(FUZZ_SRC))

# Each target for TIME seconds of processor time; TARGET=name runs only this one.
TIME ?= 60
fuzz: deps
	@tests/fuzz/run "$(TIME)" $(TARGET)

bench-programs: $(patsubst tests/bench/%.c,$(OUT)/bench/%,$(BENCH_SRC))

# Takes about ten minutes; make bench ROWS="a d" measures only these.
bench: deps
	@tests/bench/run $(ROWS)

demo: deps
	@$(MAKE) --no-print-directory -s programs
	@tests/host/demo

# --- installation ---------------------------------------------------------------------------------------------------
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
LIBDIR    ?= $(if $(MULTIARCH),/usr/lib/$(MULTIARCH),/usr/lib64)
PAMDIR    ?= $(LIBDIR)/security

# As it is installed: the paths that were compiled in. $(1) becomes $(2), $(3) is its mode.
define fill
	sed 's|@BINDIR@|$(BINDIR)|g; s|@SBINDIR@|$(SBINDIR)|g; s|@LIBEXECDIR@|$(LIBEXECDIR)|g; s|@SYSCONFDIR@|$(SYSCONFDIR)|g; s|@LOCALSTATEDIR@|$(LOCALSTATEDIR)|g; s|@RUNSTATEDIR@|$(RUNSTATEDIR)|g' \
	    $(1) > $(OUT)/filled.$$$$ && $(INSTALL) -D -m $(3) $(OUT)/filled.$$$$ $(DESTDIR)$(2); rc=$$?; rm -f $(OUT)/filled.$$$$; exit $$rc
endef

INSTALL         ?= install
INSTALL_PROGRAM ?= $(INSTALL) -m 0755
INSTALL_DATA    ?= $(INSTALL) -m 0644
# AppArmor's profile and its drop-in go where this says, such as /etc/apparmor.d; nowhere by default.
APPARMORDIR     ?=
# Where the shells look for completions; zsh's place differs.
BASHCOMPDIR     ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR      ?= $(DATADIR)/zsh/$(if $(wildcard /etc/debian_version),vendor-completions,site-functions)
FISHCOMPDIR     ?= $(DATADIR)/fish/vendor_completions.d
# The profile for Debian's pam-auth-update; empty for nowhere.
PAMCONFIGSDIR   ?= $(DATADIR)/pam-configs
# The line for the message of the day: where pam_motd runs what is there (Debian), or where root's shell does; each
# empty for nowhere.
UPDATEMOTDDIR   ?= $(SYSCONFDIR)/update-motd.d
PROFILEDIR      ?=

install: programs
	$(INSTALL_PROGRAM) -D $(OUT)/entra-invited $(DESTDIR)$(SBINDIR)/entra-invited
	$(INSTALL_PROGRAM) -D $(OUT)/entra-invite $(DESTDIR)$(BINDIR)/entra-invite
	$(INSTALL_PROGRAM) -D $(OUT)/entra-invite-hook $(DESTDIR)$(LIBEXECDIR)/entra-invite/entra-invite-hook
	$(INSTALL_PROGRAM) -D $(OUT)/entra-invite-flush $(DESTDIR)$(LIBEXECDIR)/entra-invite/entra-invite-flush
	$(INSTALL_DATA) -D $(OUT)/pam_entra_invite.so $(DESTDIR)$(PAMDIR)/pam_entra_invite.so
	$(INSTALL_DATA) -D $(OUT)/libnss_entra_invite.so.2 $(DESTDIR)$(LIBDIR)/libnss_entra_invite.so.2
	$(call fill,plugin/hooks/useradd-post.d/entra-invite,$(SYSCONFDIR)/shadow-maint/useradd-post.d/entra-invite,0755)
	$(call fill,plugin/hooks/userdel-post.d/entra-invite,$(SYSCONFDIR)/shadow-maint/userdel-post.d/entra-invite,0755)
	test -e $(DESTDIR)$(SYSCONFDIR)/entra-invite/entra-invite.conf || \
	    $(INSTALL_DATA) -D conf/entra-invite.conf $(DESTDIR)$(SYSCONFDIR)/entra-invite/entra-invite.conf
	$(call fill,conf/systemd/entra-invited.service,$(UNITDIR)/entra-invited.service,0644)
	$(call fill,conf/systemd/entra-invited.socket,$(UNITDIR)/entra-invited.socket,0644)
	$(call fill,conf/systemd/entra-invite-flush.path,$(UNITDIR)/entra-invite-flush.path,0644)
	$(call fill,conf/systemd/entra-invite-flush.service,$(UNITDIR)/entra-invite-flush.service,0644)
	$(INSTALL) -d $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(DOCDIR)/examples
	$(INSTALL_DATA) conf/sysusers/*.conf $(DESTDIR)$(SYSUSERSDIR)/
	$(INSTALL_DATA) -D conf/tmpfiles/entra-invite.conf $(DESTDIR)$(TMPFILESDIR)/entra-invite.conf
	$(INSTALL_DATA) -D conf/systemd/entra-invite.catalog $(DESTDIR)$(CATALOGDIR)/entra-invite.catalog
	$(INSTALL_DATA) conf/systemd/examples/*.conf $(DESTDIR)$(DOCDIR)/examples/
	$(INSTALL_DATA) -D conf/completion/entra-invite.bash $(DESTDIR)$(BASHCOMPDIR)/entra-invite
	$(INSTALL_DATA) -D conf/completion/_entra-invite $(DESTDIR)$(ZSHCOMPDIR)/_entra-invite
	$(INSTALL_DATA) -D conf/completion/entra-invite.fish $(DESTDIR)$(FISHCOMPDIR)/entra-invite.fish
ifneq ($(PAMCONFIGSDIR),)
	$(INSTALL_DATA) -D conf/pam-configs/entra-invite $(DESTDIR)$(PAMCONFIGSDIR)/entra-invite
endif
ifneq ($(UPDATEMOTDDIR),)
	$(call fill,conf/motd/95-entra-invite,$(UPDATEMOTDDIR)/95-entra-invite,0755)
endif
ifneq ($(PROFILEDIR),)
	$(call fill,conf/motd/entra-invite.sh,$(PROFILEDIR)/entra-invite.sh,0644)
endif
ifneq ($(APPARMORDIR),)
	$(call fill,conf/apparmor/entra-invited,$(APPARMORDIR)/usr.sbin.entra-invited,0644)
	$(call fill,conf/apparmor/nameservice,$(APPARMORDIR)/abstractions/nameservice.d/entra-invite,0644)
endif
	for file in $(CATALOGUES); do \
	    $(INSTALL_DATA) -D $$file $(DESTDIR)$(LOCALEDIR)/$${file#$(OUT)/locale/} || exit 1; \
	done
	for page in plugin/*/*.[1578] conf/*.5; do \
	    $(INSTALL_DATA) -D $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; \
	done

# What install put there, and nothing that was made later: the configuration and the state stay.
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/entra-invited $(DESTDIR)$(BINDIR)/entra-invite $(DESTDIR)$(PAMDIR)/pam_entra_invite.so \
	    $(DESTDIR)$(LIBDIR)/libnss_entra_invite.so.2 $(DESTDIR)$(SYSCONFDIR)/shadow-maint/*-post.d/entra-invite \
	    $(DESTDIR)$(UNITDIR)/entra-invited.service $(DESTDIR)$(UNITDIR)/entra-invited.socket \
	    $(DESTDIR)$(UNITDIR)/entra-invite-flush.path $(DESTDIR)$(UNITDIR)/entra-invite-flush.service \
	    $(DESTDIR)$(SYSUSERSDIR)/entra-invite.conf $(DESTDIR)$(SYSUSERSDIR)/entra-invite-groups.conf \
	    $(DESTDIR)$(TMPFILESDIR)/entra-invite.conf $(DESTDIR)$(PAMCONFIGSDIR)/entra-invite \
	    $(DESTDIR)$(CATALOGDIR)/entra-invite.catalog \
	    $(if $(UPDATEMOTDDIR),$(DESTDIR)$(UPDATEMOTDDIR)/95-entra-invite) \
	    $(if $(PROFILEDIR),$(DESTDIR)$(PROFILEDIR)/entra-invite.sh) \
	    $(DESTDIR)$(BASHCOMPDIR)/entra-invite $(DESTDIR)$(ZSHCOMPDIR)/_entra-invite $(DESTDIR)$(FISHCOMPDIR)/entra-invite.fish
	rm -rf $(DESTDIR)$(LIBEXECDIR)/entra-invite $(DESTDIR)$(DOCDIR)
	rm -f $(DESTDIR)$(LOCALEDIR)/*/LC_MESSAGES/entra-invite.mo
	for page in plugin/*/*.[1578] conf/*.5; do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done

# --- packages -------------------------------------------------------------------------------------------------------
# The source as it is released, of the date of the Debian changelog and without what packagers add to it.
DIST    := $(BUILD)/entra-invite-$(VERSION).tar.gz
RELEASE = $(shell sed -n 's/^ -- .*>  //p' debian/changelog | head -n 1)
dist:
	@mkdir -p $(BUILD)
	{ git ls-files -co --exclude-standard 2>/dev/null || find . -type f ! -path './$(BUILD)/*' ! -path './.git/*' | sed 's|^\./||'; } | \
	    grep -vE '^(debian|\.ci)/|^\.git' | LC_ALL=C sort | \
	    tar -cf - -T - --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime='$(RELEASE)' --format=gnu \
	        --transform 's|^|entra-invite-$(VERSION)/|' | gzip -9n > $(DIST)

DEPS_DEB := build-essential debhelper dh-apparmor dh-nss dpkg-dev libcmocka-dev pkgconf
deb: dist
	@tests/host/deps "$(DEPS_APT) $(DEPS_DEB)" ""
	rm -rf $(BUILD)/deb
	mkdir -p $(BUILD)/deb
	cp $(DIST) $(BUILD)/deb/entra-invite_$(VERSION).orig.tar.gz
	tar -C $(BUILD)/deb -xzf $(DIST)
	cp -a debian $(BUILD)/deb/entra-invite-$(VERSION)/
	cd $(BUILD)/deb/entra-invite-$(VERSION) && dpkg-buildpackage -us -uc
	rm -rf $(BUILD)/deb/entra-invite-$(VERSION)

# On Debian this shows that the spec builds: rpm/debian.macros. The database of rpm is empty there, so --nodeps.
DEPS_RPM_APT := bzip2 elfutils libcmocka-dev rpm selinux-policy-dev
DEPS_RPM_DNF := bzip2 libcmocka-devel rpm-build redhat-rpm-config selinux-policy-devel systemd-rpm-macros
RPMBUILD      = rpmbuild --define '_buildhost localhost' $(if $(wildcard /etc/debian_version),--nodeps --load=$(CURDIR)/rpm/debian.macros)
# Such as --nocheck.
RPMFLAGS     ?=
rpm: dist
	@tests/host/deps "$(DEPS_APT) $(DEPS_RPM_APT)" "$(DEPS_DNF) $(DEPS_RPM_DNF)"
	rm -rf $(BUILD)/rpm
	mkdir -p $(BUILD)/rpm/SOURCES
	$(INSTALL_DATA) -p $(DIST) $(BUILD)/rpm/SOURCES/
	for name in entra-invite entra-invite-groups; do \
	    $(INSTALL_DATA) -p conf/sysusers/$$name.conf $(BUILD)/rpm/SOURCES/$$name.sysusers || exit 1; \
	done
	$(INSTALL_DATA) -p rpm/entra-invite.spec $(BUILD)/rpm/
	# A source package holds the names of its directories, so they are made the same; the packages are made from it.
	cd $(BUILD)/rpm && $(RPMBUILD) --define '_topdir .' -bs entra-invite.spec
	$(RPMBUILD) --define '_topdir $(abspath $(BUILD))/rpm' $(RPMFLAGS) --rebuild $(BUILD)/rpm/SRPMS/*.src.rpm

clean:
	@! mountpoint -q $(BUILD)/lab || umount $(BUILD)/lab # tests/host/lab puts a tmpfs there in containers
	rm -rf $(BUILD)

-include $(shell find $(OUT)/obj $(OUT)/pic -name "*.d" 2>/dev/null)
