/*
 * The address in a GECOS field, and what two addresses must share to be one.
 *
 * gecos.c is pure libc, no allocation, no state: the PAM module links it, so that gate and worker read one account
 * alike.
 */
#ifndef EI_ACCOUNT_GECOS_H
#define EI_ACCOUNT_GECOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EI_ADDRESS_SIZE = 321, /* 64 + "@" + 255 and the NUL: RFC 5321 */
    EI_NAME_SIZE = 257,    /* displayName: 256 characters in the directory */
};

/*
 * Finds the address: `mail=address` in the fifth comma-separated part beats `Name <address>` or a bare address in the
 * first. Those are the parts that a user cannot change with chfn, unless CHFN_RESTRICT holds `f`: then trust_first is
 * false and the first part is not looked at. What stands there is returned as written, surrounding blanks dropped;
 * whether it is a good address is ei_address_check's to say. Brackets that nest, repeat or do not close are part of
 * what is returned, so that they are refused there and not guessed at (S14). false: there is none (or it is too long
 * to be one).
 */
bool ei_gecos_address(const char *gecos, bool trust_first, char address[EI_ADDRESS_SIZE]);

/* The name before `<address>` in the first part, or all of that part if no address is in it; "" if there is only an
 * address, or if the name is not one line of UTF-8. What is longer is cut between two characters. gecos_name.c. */
void ei_gecos_name(const char *gecos, char name[EI_NAME_SIZE]);

/* false if CHFN_RESTRICT in the given login.defs text lets users change the first part: it holds `f`, or is the old
 * `no`, which means frwh (the old `yes` means rwh). More than one such line: all must keep users from it, since the
 * readers of login.defs differ in which one they take. */
bool ei_gecos_first_trusted(const char *login_defs);

/* ASCII upper case to lower, byte by byte: how addresses are compared (design, Configuration). out may be in. size
 * counts the NUL; false (and "") if it does not fit. */
bool ei_address_fold(const char *in, char *out, size_t size);

/*
 * A change detector, not a secret: FNV-1a, 64 bits, over the folded address. The view holds it so that the gate sees
 * that an account's address has changed since the worker last looked. Never 0 (0 means "not from GECOS" in the view).
 */
uint64_t ei_address_hash(const char *address);

#endif
