#include "common/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"

static const struct {
    const char *name;
    const char *mend;
    enum ei_fault fault;
} table[EI_ERR_COUNT] = {
#define EI_ERROR_ROW(code, name, fault, mend) [code] = {name, mend, EI_FAULT_##fault},
    EI_ERRORS(EI_ERROR_ROW)
#undef EI_ERROR_ROW
};

static enum ei_err in_table(enum ei_err code)
{
    return (unsigned)code < EI_ERR_COUNT ? code : EI_IO;
}

const char *ei_err_name(enum ei_err code)
{
    return table[in_table(code)].name;
}

const char *ei_err_mend(enum ei_err code)
{
    return table[in_table(code)].mend;
}

enum ei_fault ei_err_fault(enum ei_err code)
{
    return table[in_table(code)].fault;
}

bool ei_err_from_name(const char *name, enum ei_err *ret_code)
{
    for (int code = 0; code < EI_ERR_COUNT; code++) {
        if (strcmp(table[code].name, name) == 0) {
            *ret_code = (enum ei_err)code;
            return true;
        }
    }
    return false;
}

enum ei_err ei_err_of_file(int error, enum ei_err otherwise)
{
    switch (error) {
    case ENOMEM:
        return EI_NOMEM;
    case EIO:
    case EMFILE:
    case ENFILE:
        return EI_IO;
    default:
        return otherwise;
    }
}

enum ei_err ei_err_of_write(int error)
{
    if (error == ENOSPC || error == EDQUOT)
        return EI_STORE_FULL;
    return error == ENOMEM ? EI_NOMEM : EI_IO;
}

bool ei_err_may_pass(enum ei_err code)
{
    return code == EI_NOMEM || code == EI_IO;
}

static void set_message(struct ei_error *err, enum ei_err code, const char *format, va_list args)
{
    err->code = code;
    if (vsnprintf(err->message, sizeof err->message, format, args) < 0)
        err->message[0] = '\0';
    /* A cut-off or foreign byte would make every JSON text that holds it invalid. */
    ei_utf8_one_line(err->message);
}

enum ei_err ei_fail(struct ei_error *err, enum ei_err code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->request_id[0] = '\0';
        err->client_request_id[0] = '\0';
        set_message(err, code, format, args);
        va_end(args);
    }
    return code;
}

enum ei_err ei_fail_file(struct ei_error *err, enum ei_err otherwise, const char *path)
{
    return ei_fail(err, ei_err_of_file(errno, otherwise), "%s: %s", path, strerror(errno));
}

enum ei_err ei_fail_again(struct ei_error *err, enum ei_err code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set_message(err, code, format, args);
    va_end(args);
    return code;
}

void ei_error_clear(struct ei_error *err)
{
    *err = (struct ei_error){.code = EI_OK};
}
