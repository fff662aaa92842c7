#include "common/ipc/interface.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/ipc/varlink.h"

/* The file itself, found through the compiler's -I of the tree's top, so that no generator stands in between. */
__asm__(".pushsection .rodata\n"
        ".type ei_interface_file, %object\n"
        "ei_interface_file:\n"
        ".incbin \"common/ipc/io.entrainvite.varlink\"\n"
        ".byte 0\n"
        ".size ei_interface_file, . - ei_interface_file\n"
        ".popsection\n");
extern const char ei_interface_file[] __attribute__((visibility("hidden")));

static const char service_text[] =
    "# The service itself\n"
    "interface org.varlink.service\n"
    "\n"
    "method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)\n"
    "\n"
    "method GetInterfaceDescription(interface: string) -> (description: string)\n"
    "\n"
    "error InterfaceNotFound (interface: string)\n"
    "\n"
    "error MethodNotFound (method: string)\n"
    "\n"
    "error MethodNotImplemented (method: string)\n"
    "\n"
    "error InvalidParameter (parameter: string)\n"
    "\n"
    "error PermissionDenied ()\n"
    "\n"
    "error ExpectedMore ()\n";

const char *ei_interface_text(const char *name)
{
    if (strcmp(name, EI_VARLINK_INTERFACE) == 0)
        return ei_interface_file;
    if (strcmp(name, EI_VARLINK_SERVICE) == 0)
        return service_text;
    return NULL;
}

/* Just behind the '(' of "method NAME(", NULL if there is none. */
static const char *find_method(const char *text, const char *method)
{
    static const char keyword[] = "\nmethod ";
    size_t length = strlen(method);

    for (const char *c = method; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c))
            return NULL;
    while ((text = strstr(text, keyword)) != NULL) {
        text += sizeof keyword - 1;
        if (strncmp(text, method, length) == 0 && text[length] == '(')
            return text + length + 1;
    }
    return NULL;
}

struct field {
    char name[EI_INTERFACE_NAME_SIZE];
    char type[16]; /* without ? and [] */
    bool optional;
    bool array;
};

/* Copies the word at *at, moving behind it and a separator (white space, ':' or ','). */
static void take_word(const char **at, char *out, size_t size)
{
    size_t length = 0;

    while (isalnum((unsigned char)**at) || **at == '_') {
        if (length + 1 < size)
            out[length++] = **at;
        (*at)++;
    }
    out[length] = '\0';
    *at += strspn(*at, " \t\r\n:,");
}

/* The next "name: type" of the list at *at; false at its ')'. */
static bool next_field(const char **at, struct field *ret_field)
{
    *at += strspn(*at, " \t\r\n,");
    if (!isalpha((unsigned char)**at))
        return false;
    take_word(at, ret_field->name, sizeof ret_field->name);
    ret_field->optional = **at == '?';
    *at += ret_field->optional;
    ret_field->array = strncmp(*at, "[]", 2) == 0;
    *at += ret_field->array ? 2 : 0;
    take_word(at, ret_field->type, sizeof ret_field->type);
    return true;
}

static bool fits_one(const char *type, const cJSON *value)
{
    static const double exact = 9007199254740992.0; /* 2^53: all whole numbers up to it are exact in JSON */

    if (strcmp(type, "string") == 0)
        return cJSON_IsString(value);
    if (strcmp(type, "bool") == 0)
        return cJSON_IsBool(value);
    if (strcmp(type, "int") == 0)
        return cJSON_IsNumber(value) && fabs(value->valuedouble) <= exact &&
               value->valuedouble == floor(value->valuedouble);
    return strcmp(type, "object") == 0 && cJSON_IsObject(value);
}

static bool fits(const struct field *field, const cJSON *value)
{
    if (value == NULL || cJSON_IsNull(value))
        return field->optional;
    if (!field->array)
        return fits_one(field->type, value);
    if (!cJSON_IsArray(value))
        return false;
    for (const cJSON *item = value->child; item != NULL; item = item->next)
        if (!fits_one(field->type, item))
            return false;
    return true;
}

static bool known(const char *list, const char *name)
{
    struct field field;

    while (next_field(&list, &field))
        if (strcmp(field.name, name) == 0)
            return true;
    return false;
}

enum ei_interface_verdict ei_interface_check(const char *text, const char *method, const cJSON *parameters,
                                             char bad[EI_INTERFACE_NAME_SIZE])
{
    const char *list = find_method(text, method);
    struct field field;

    bad[0] = '\0';
    if (list == NULL)
        return EI_INTERFACE_NO_METHOD;
    for (const cJSON *item = parameters->child; item != NULL; item = item->next) {
        if (!known(list, item->string)) {
            snprintf(bad, EI_INTERFACE_NAME_SIZE, "%s", item->string);
            return EI_INTERFACE_BAD_PARAMETER;
        }
    }
    for (const char *at = list; next_field(&at, &field);) {
        if (!fits(&field, cJSON_GetObjectItemCaseSensitive(parameters, field.name))) {
            snprintf(bad, EI_INTERFACE_NAME_SIZE, "%s", field.name);
            return EI_INTERFACE_BAD_PARAMETER;
        }
    }
    return EI_INTERFACE_FITS;
}
