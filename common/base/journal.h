/*
 * systemd-journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram an entry, one field a line.
 *
 * By hand and not by libsystemd, as with sd_notify: common/base is in the hook and the command line too, which would
 * load that library for each account that is made; hosts without systemd need not have it; and sd_journal_sendv waits
 * while journald does not read, which the worker must not.
 */
#ifndef EI_BASE_JOURNAL_H
#define EI_BASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#define EI_JOURNAL_SOCKET "/run/systemd/journal/socket"

enum { EI_JOURNAL_ENTRY_MAX = 16 * 1024 };

struct ei_journal_entry {
    char data[EI_JOURNAL_ENTRY_MAX];
    size_t length; /* 0: nothing yet */
};

/* Nothing where value is NULL or "", and where it does not fit. name: capital letters, digits, '_'. */
void ei_journal_add(struct ei_journal_entry *entry, const char *name, const char *value);

/* Never waits. false: journald has not taken it. socket_path: a datagram socket; looked up anew each time, so that a
 * journald that was started again is found. */
bool ei_journal_send(const char *socket_path, const struct ei_journal_entry *entry);

#endif
