/* The interface as text (compiled in from io.entrainvite.varlink) and the check of calls against it: that text is the
 * one place where methods, parameters and their types stand. */
#ifndef EI_IPC_INTERFACE_H
#define EI_IPC_INTERFACE_H

#include <cjson/cJSON.h>
#include <stddef.h>

enum { EI_INTERFACE_NAME_SIZE = 64 };

enum ei_interface_verdict { EI_INTERFACE_FITS, EI_INTERFACE_NO_METHOD, EI_INTERFACE_BAD_PARAMETER };

/* The description of an interface ("io.entrainvite" or "org.varlink.service"), NULL for another name. */
const char *ei_interface_text(const char *name);

/*
 * Holds a call of method (without the interface's name) against a description: every parameter is known, has its type,
 * and none is missing that is not optional (?). bad names the parameter that is at fault, cut to size; "" otherwise.
 */
enum ei_interface_verdict ei_interface_check(const char *text, const char *method, const cJSON *parameters,
                                             char bad[EI_INTERFACE_NAME_SIZE]);

#endif
