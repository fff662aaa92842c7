/* Which addresses can be invited: the documented character rules (contract 2.4), IDN, and the rule's email_domains. */
#ifndef EI_ACCOUNT_ADDRESS_H
#define EI_ACCOUNT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/account/gecos.h"
#include "common/base/error.h"

/*
 * Checks what was written and gives the form that is sent: as given, an internationalised domain as A-labels (libidn2).
 * EI_BAD_ADDRESS names the address, and which character or part is wrong (contract 2.4: refused before the network).
 */
enum ei_err ei_address_check(const char *written, char address[EI_ADDRESS_SIZE], struct ei_error *err);

/* The part behind the last '@', "" if there is none. Points into address. */
const char *ei_address_domain(const char *address);

/* Whole-name comparison in ASCII lower case; an empty list allows any (config: email_domains empty: any). domains are
 * folded A-labels, as the config gives them. */
bool ei_address_domain_listed(const char *address, const char *const *domains, size_t count);

/* The same folding and IDN for a domain name of the config. */
enum ei_err ei_domain_normalize(const char *written, char *domain, size_t size, struct ei_error *err);

#endif
