/* Well-formed UTF-8, as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef EI_BASE_UTF8_H
#define EI_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the sequence that starts at text (NUL-terminated), 1 to 4; 0 if there is no well-formed one. */
size_t ei_utf8_length(const char *text);

/* length bytes without a NUL among them. */
bool ei_utf8_valid(const char *text, size_t length);

/* true if the character at text is a control character: C0, DEL, or C1 (U+0080 to U+009F). */
bool ei_utf8_control(const char *text);

/* One line for people: well-formed, and no control character in it. */
bool ei_utf8_printable(const char *text);

/* Text of several lines: length well-formed bytes, and of the control characters only line breaks and tabs. */
bool ei_utf8_text(const char *text, size_t length);

/* Replaces each byte that is not part of a well-formed sequence by '?', in place. */
void ei_utf8_repair(char *text);

/* The same, and of each control character too: one line for people is left (S16). */
void ei_utf8_one_line(char *text);

#endif
