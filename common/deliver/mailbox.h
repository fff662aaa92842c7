/* Who a mail is from or to. No libcurl: the configuration is checked with it. */
#ifndef EI_DELIVER_MAILBOX_H
#define EI_DELIVER_MAILBOX_H

#include "common/account/gecos.h"
#include "common/base/error.h"

/* One of From, To, Reply-To: a name in UTF-8, which may be "", and an address as ei_address_check gives it. */
struct ei_mailbox {
    char name[EI_NAME_SIZE];
    char address[EI_ADDRESS_SIZE];
};

/* Takes "address", "Name <address>" and "\"Name\" <address>". EI_BAD_ADDRESS names the text, and what is wrong: of the
 * address as ei_address_check, of the name a control character, bytes that are not UTF-8, or its length. */
enum ei_err ei_mailbox_parse(const char *written, struct ei_mailbox *ret_mailbox, struct ei_error *err);

/* The same checks for parts that are known: name (NULL: none) is cut to what fits, its control characters become
 * blanks and bytes that are not UTF-8 "?", for a person's name is no reason not to write to them. */
enum ei_err ei_mailbox_make(const char *name, const char *address, struct ei_mailbox *ret_mailbox,
                            struct ei_error *err);

#endif
